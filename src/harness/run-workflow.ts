import { createInventedOwner, createSeededIds } from '../adapters/virtual/index.ts'
import { containedPath, defaultSeed, FaultlineError, seededRandom, suggestion } from '../core/index.ts'
import type { FaultPlan, WorkflowDefinition } from '../definition/index.ts'
import { definitionDefaults } from '../definition/index.ts'
import { createReferenceDriver, loadWorkflow, workflowFromText } from '../engine/index.ts'
import type { LoadedWorkflow } from '../engine/index.ts'
import { faultPlan } from '../fault-injection/index.ts'
import type { StorageOptions } from '../ports/index.ts'
import type {
  Project,
  SessionLimits,
  WorkflowInput,
  WorkflowSession,
  WorkflowSessionOptions,
} from './contract.ts'
import { agentPort, prepareSession } from './prepare-session.ts'
import { createProject, observerOf, openProject, registerSession } from './project.ts'

export const defaultRealWaitMs = 2_000

/**
 * Starts a workflow under the hand of the caller: nothing has run when this resolves, event 0 is on disk.
 *
 * @example
 * const session = await runWorkflowStepByStep('workflows/release.yaml', { project, faults: [agentError('review')] })
 * await session.runToEnd()
 * @throws FaultlineError for anything that is wrong before the first step: definition, agents, plan, required files.
 */
export async function runWorkflowStepByStep(
  workflow: WorkflowInput,
  options: WorkflowSessionOptions = {},
): Promise<WorkflowSession> {
  const project = await projectFor(options)
  const observer = observerOf(project)
  const { clock = 'virtual', disk = 'folder' } = options
  const storage = storageFor(options, project)
  const plan = faultPlan(options.faults)
  const seed = resolveSeed(options, plan, project)
  const random = seededRandom(seed).fork('session')
  const nonce = `harness-${random.hex(8)}`
  const limits = options.limits ?? (clock === 'real' ? project.limits : undefined)
  const limited = (found: LoadedWorkflow): LoadedWorkflow => ({
    ...found,
    definition: withLimits(found.definition, limits),
  })
  const loaded = limited(await loadFor(workflow, project))
  const session = await prepareSession({
    loaded,
    async reload(readFile) {
      if (typeof workflow !== 'string') return loaded
      const bytes = await readFile(containedPath(workflow))
      if (bytes === undefined) return undefined
      return limited(await loadWorkflow(workflowFromText(new TextDecoder().decode(bytes), workflow)))
    },
    project,
    plan,
    seed,
    agents: agentPort(options.agents),
    gates: options.gates ?? {},
    input: options.input ?? null,
    clock,
    disk,
    storage,
    driver: options.driver ?? createReferenceDriver(),
    correlationId:
      options.correlationId ??
      project.correlationId ??
      `faultline-${seededRandom(seed).fork('correlation').hex(8)}`,
    realWaitMs: limits?.realWaitMs ?? defaultRealWaitMs,
    ids: createSeededIds(random.fork('ids').hex(8)),
    ownerOf: (life) => createInventedOwner(`${nonce}-${life}`),
    outside: options,
    onEvent: (event) => observer?.event(event),
    onLog: (entry) => observer?.log(entry),
  })
  await session.begin({})
  registerSession(project, session)
  const opened = { clock, disk, plan, directories: storage.directories ?? {} }
  observer?.opened(session, opened, { contents: (path) => session.contents(path) })
  return session
}

export async function projectFor({ project }: Pick<WorkflowSessionOptions, 'project'>): Promise<Project> {
  if (project === undefined) return createProject({})
  return typeof project === 'string' ? openProject(project) : project
}

function storageFor(options: WorkflowSessionOptions, project: Project): StorageOptions {
  const {
    directories = project.directories ?? {},
    checkpointEvery,
    history,
    eventLog,
    outputCapBytes,
  } = options
  return {
    directories,
    ...(checkpointEvery === undefined ? {} : { checkpointEvery }),
    ...(history === undefined ? {} : { history }),
    ...(eventLog === undefined ? {} : { eventLog }),
    ...(outputCapBytes === undefined ? {} : { outputCapBytes }),
  }
}

export async function loadFor(workflow: WorkflowInput, project: Project): Promise<LoadedWorkflow> {
  if (typeof workflow !== 'string') return loadWorkflow(workflow)
  if (!(await project.exists(workflow))) {
    const known = (await project.list()).filter((path) => /\.(ya?ml|json)$/.test(path))
    throw new FaultlineError(
      'FILE_NOT_FOUND',
      `There is no workflow file '${workflow}' in the project. ${suggestion(workflow, known)}`,
      {
        details: { path: workflow },
      },
    )
  }
  return loadWorkflow(workflowFromText(await project.readText(workflow), workflow))
}

/** Replay hands its seed in through the project; a plan's own seed and the option come next, the fixture's last. */
function resolveSeed(options: WorkflowSessionOptions, plan: FaultPlan, project: Project): number | string {
  const { seed } = options
  if (seed !== undefined && plan.seed !== undefined && seed !== plan.seed) {
    throw new FaultlineError(
      'SEED_CONFLICT',
      `Two different seeds were given: ${JSON.stringify(seed)} as an option and ${JSON.stringify(plan.seed)} in the fault plan. ` +
        `Give one of them.`,
      { details: { option: seed, plan: plan.seed } },
    )
  }
  return plan.seed ?? seed ?? project.seed ?? defaultSeed
}

function withLimits(definition: WorkflowDefinition, limits: SessionLimits = {}): WorkflowDefinition {
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value === 'number' && value > 0) continue
    throw new FaultlineError(
      'CONFIGURATION_INVALID',
      `limits.${name} must be more than 0 milliseconds, and it is ${String(value)}.`,
    )
  }
  const { stepTimeoutMs, workflowTimeoutMs } = limits
  if (stepTimeoutMs === undefined && workflowTimeoutMs === undefined) return definition
  return {
    ...definition,
    limits:
      workflowTimeoutMs === undefined
        ? definition.limits
        : { ...definition.limits, timeoutMs: workflowTimeoutMs },
    steps: definition.steps.map((step) =>
      stepTimeoutMs === undefined || step.timeoutMs !== definitionDefaults.stepTimeoutMs
        ? step
        : { ...step, timeoutMs: stepTimeoutMs },
    ),
  }
}
