import { deepFreeze, FaultlineError, isJsonObject, messageOf } from '../../core/index.ts'
import type { JsonObject, JsonValue } from '../../core/index.ts'
import { definitionDefaults } from '../../definition/index.ts'
import type { GateDefinition, StepDefinition, WorkflowDefinition } from '../../definition/index.ts'
import { describe, gateKeys, readObject, settingsKeys, stepKeys, workflowKeys } from './agent-dialect.ts'
import type { ReadObject } from './agent-dialect.ts'
import { compileCondition } from './condition.ts'
import { drawEdges, provides } from './edges.ts'
import type { StepLinks } from './edges.ts'
import { definitionError } from './problems.ts'
import type { Problem, SourcePath } from './problems.ts'
import { shapes } from './shapes.ts'
import type { GateShape, Parser, SettingsShape, Shapes, StepShape } from './shapes.ts'
import { parseSource } from './source-document.ts'
import type { WorkflowSource } from './workflow-source.ts'

/** A definition that has passed every check, with the way back to its text. */
export interface LoadedWorkflow {
  readonly definition: WorkflowDefinition
  readonly file: string | undefined
  /** `file:line:column` of `steps.<id>.<key>`, or undefined when the workflow was written in code. */
  locate(path: string): string | undefined
}

const maxSteps = 10_000

/** @throws FaultlineError `DEFINITION_INVALID`: one line per problem, with file, line, column and path. */
export async function loadWorkflow(source: WorkflowSource): Promise<LoadedWorkflow> {
  const document = await parseSource(source)
  const problems: Problem[] = []
  const fail = (): never => {
    throw definitionError(problems, (path) => document.place(path))
  }
  const root: SourcePath = isJsonObject(document.value) && 'workflow' in document.value ? ['workflow'] : []
  const body = root.length === 0 ? document.value : (document.value as JsonObject)['workflow']
  const checked = await shapes()
  const workflow = readObject(body, workflowKeys, root, problems)
  if (workflow === undefined) return fail()
  const head = parsed(checked.workflow, workflow, root, problems)
  const settings = readSettings(workflow, root, checked, problems)
  const steps = readSteps(workflow, root, checked, problems)
  if (head === undefined || settings === undefined || problems.length > 0) return fail()
  const edges = drawEdges(steps.map(({ links }) => links), problems)
  await checkConditions(steps, problems)
  if (problems.length > 0) return fail()
  const timeoutMs = settings.shape.timeoutMs ?? settings.shape.timeout
  const definition: WorkflowDefinition = {
    id: head.id,
    name: head.name ?? head.id,
    version: head.version ?? definitionDefaults.version,
    ...(head.description === undefined ? {} : { description: head.description }),
    limits: {
      maxConcurrentSteps: settings.shape.maxConcurrentSteps ?? definitionDefaults.maxConcurrentSteps,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    },
    steps: steps.map((step) => stepDefinition(step, settings.shape)),
    edges,
    metadata: Object.keys(settings.metadata).length === 0 ? workflow.metadata : { ...workflow.metadata, settings: settings.metadata },
  }
  return {
    definition: deepFreeze(definition),
    file: source.file,
    locate(path) {
      if (source.text === undefined) return undefined
      const [, id, key] = path.split('.')
      const step = steps.find(({ links }) => links.id === id)
      return document.place(step === undefined ? root : [...step.links.path, step.read.written[key ?? ''] ?? ''])
    },
  }
}

/**
 * The first required file that no step creates and that is not there.
 *
 * @param exists whether the project has a file, or any file below a folder that ends in `/`.
 */
export function missingRequiredFile(
  { definition, locate }: LoadedWorkflow,
  exists: (path: string) => boolean,
): FaultlineError | undefined {
  for (const step of definition.steps) {
    for (const required of step.requires) {
      if (definition.steps.some(({ creates }) => creates.some((created) => provides(created, required)))) continue
      if (exists(required)) continue
      const place = locate(`steps.${step.id}.requires`)
      return new FaultlineError(
        'REQUIRED_FILE_MISSING',
        `${place === undefined ? '' : `${place}: `}Step '${step.id}' requires '${required}', which no step creates and which is not in ` +
          `the project. Add the file, or let an earlier step create it.`,
        { details: { step: step.id, path: required } },
      )
    }
  }
  return undefined
}

interface ReadStep {
  readonly read: ReadObject
  readonly shape: StepShape
  readonly gate: { readonly shape: GateShape; readonly path: SourcePath } | undefined
  readonly links: StepLinks
}

function readSettings(
  workflow: ReadObject,
  root: SourcePath,
  checked: Shapes,
  problems: Problem[],
): { readonly shape: SettingsShape; readonly metadata: JsonObject } | undefined {
  const path = [...root, 'settings']
  const read = readObject(workflow.known['settings'] ?? {}, settingsKeys, path, problems)
  const shape = read === undefined ? undefined : parsed(checked.settings, read, path, problems)
  return read === undefined || shape === undefined ? undefined : { shape, metadata: read.metadata }
}

function readSteps(workflow: ReadObject, root: SourcePath, checked: Shapes, problems: Problem[]): readonly ReadStep[] {
  const path = [...root, 'steps']
  const list = workflow.known['steps']
  if (!Array.isArray(list) || list.length === 0 || list.length > maxSteps) {
    const found = Array.isArray(list) ? `has ${list.length} of them` : `it is ${describe(list)}`
    problems.push({ path, message: `must be a list of 1 to ${maxSteps} steps, and ${found}` })
    return []
  }
  return list.flatMap((value, index) => readStep(value, [...path, index], checked, problems) ?? [])
}

function readStep(value: unknown, path: SourcePath, checked: Shapes, problems: Problem[]): ReadStep | undefined {
  const read = readObject(value, stepKeys, path, problems)
  if (read === undefined) return undefined
  const shape = parsed(checked.step, read, path, problems)
  const gatePath = [...path, 'gate']
  const gateRead = read.known['gate'] == null ? undefined : readObject(read.known['gate'], gateKeys, gatePath, problems)
  const gate = gateRead === undefined ? undefined : parsed(checked.gate, gateRead, gatePath, problems)
  if (shape === undefined) return undefined
  return {
    read,
    shape,
    gate: gate === undefined ? undefined : { shape: gate, path: gatePath },
    links: {
      id: shape.id,
      path,
      requires: shape.requires ?? [],
      creates: shape.creates ?? [],
      next: shape.next ?? [],
      dependsOn: shape.dependsOn ?? [],
      onPass: gate?.onPass,
      onFail: gate?.onFail,
      declaresOrder: ['next', 'dependsOn', 'requires'].some((key) => key in read.known),
      place: (key) =>
        key === 'onPass' || key === 'onFail' ? [...gatePath, gateRead?.written[key] ?? key] : [...path, read.written[key] ?? key],
    },
  }
}

function parsed<T>(parser: Parser<T>, read: ReadObject, path: SourcePath, problems: Problem[]): T | undefined {
  const result = parser.parse(read.known)
  if ('good' in result) return result.good
  for (const issue of result.issues) {
    const [key, ...rest] = issue.path
    problems.push({ path: [...path, read.written[String(key)] ?? String(key), ...rest], message: issue.message })
  }
  return undefined
}

async function checkConditions(steps: readonly ReadStep[], problems: Problem[]): Promise<void> {
  for (const { gate } of steps) {
    if (gate === undefined) continue
    try {
      await compileCondition(gate.shape.condition)
    } catch (error) {
      const [reason] = messageOf(error).split('\n')
      problems.push({
        path: [...gate.path, 'condition'],
        message: `is not a valid condition: ${reason}. It may speak of input, output, scoring, steps and run, in CEL`,
      })
    }
  }
}

function stepDefinition({ shape, read, gate }: ReadStep, settings: SettingsShape): StepDefinition {
  const { scoring, ...metadata } = splitScoring(shape, read)
  return {
    id: shape.id,
    ...(shape.name === undefined ? {} : { name: shape.name }),
    agent: shape.agent,
    ...(shape.action === undefined ? {} : { action: shape.action }),
    requires: shape.requires ?? [],
    creates: shape.creates ?? [],
    parameters: shape.parameters ?? {},
    retries: shape.retries ?? definitionDefaults.retries,
    retryDelayMs: shape.retryDelayMs ?? shape.retryDelay ?? definitionDefaults.retryDelayMs,
    timeoutMs:
      shape.timeoutMs ?? shape.timeout ?? settings.stepTimeoutMs ?? settings.stepTimeout ?? definitionDefaults.stepTimeoutMs,
    ...(scoring === undefined ? {} : { scoring: { thresholds: scoring } }),
    ...(gate === undefined ? {} : { gate: gateDefinition(gate.shape) }),
    metadata: metadata.metadata,
  }
}

function splitScoring(
  shape: StepShape,
  read: ReadObject,
): { readonly scoring: Readonly<Record<string, number>> | undefined; readonly metadata: JsonObject } {
  const notes: Record<string, JsonValue | undefined> = { ...read.metadata }
  if (shape.condition !== undefined) notes['condition'] = shape.condition
  if (shape.scoring === undefined) return { scoring: undefined, metadata: notes }
  const { thresholds, ...rest } = shape.scoring as { thresholds?: Readonly<Record<string, number>> } & JsonObject
  if (Object.keys(rest).length > 0) notes['scoring'] = rest
  const scoring = Object.fromEntries(Object.entries(thresholds ?? {}).map(([name, least]) => [name.replace(/_?[mM]in$/, ''), least]))
  return { scoring, metadata: notes }
}

function gateDefinition(gate: GateShape): GateDefinition {
  return {
    condition: gate.condition,
    ...(gate.onFail === undefined ? {} : { onFail: gate.onFail }),
    maxLoops: gate.maxLoops ?? definitionDefaults.maxLoops,
  }
}
