import { formatDuration, messageOf, suggestion } from '../../core/index.ts'
import type { JsonObject } from '../../core/index.ts'
import { definitionDefaults } from '../../definition/index.ts'
import type {
  GateDefinition,
  ScoringDefinition,
  StepDefinition,
  UndoDefinition,
  WorkflowLimits,
} from '../../definition/index.ts'
import { artifactPath, liesInStateFolder } from './artifact-path.ts'
import type { Reporter } from './reporter.ts'
import type { SourcePath } from './source-tree.ts'
import type { SettingsShape, StepShape, WorkflowShape } from './workflow-shape.ts'

/** Steps in canonical form: defaults filled in, units settled, paths normal. */
export function canonicalSteps(
  workflow: WorkflowShape,
  stepMetadata: readonly JsonObject[],
  reporter: Reporter,
): readonly StepDefinition[] {
  return workflow.steps.map((step, index) => ({
    ...canonicalStep(step, workflow.settings ?? {}, ['steps', index], reporter),
    metadata: stepMetadata[index] ?? {},
  }))
}

export function canonicalLimits(settings: SettingsShape, reporter: Reporter): WorkflowLimits {
  const timeoutMs = settings.timeout ?? settings.timeoutMs
  const warnAfterMs = settings.warnAfter ?? settings.warnAfterMs
  if (warnAfterMs !== undefined && warnAfterMs >= (timeoutMs ?? 0)) {
    const reached =
      timeoutMs === undefined
        ? `and has no limit: give it a 'timeout'`
        : `which its limit of ${formatDuration(timeoutMs)} does not let it reach`
    reporter.add(['settings'], `warns after ${formatDuration(warnAfterMs)}, ${reached}`)
  }
  return {
    maxConcurrentSteps: settings.maxConcurrentSteps ?? definitionDefaults.maxConcurrentSteps,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(warnAfterMs === undefined ? {} : { warnAfterMs }),
    ...cancelGrace(settings),
  }
}

function cancelGrace({ cancelGrace: grace, cancelGraceMs = grace }: SettingsShape): Partial<WorkflowLimits> {
  return cancelGraceMs === undefined || cancelGraceMs === 0 ? {} : { cancelGraceMs }
}

function canonicalStep(
  step: StepShape,
  settings: SettingsShape,
  path: SourcePath,
  reporter: Reporter,
): Omit<StepDefinition, 'metadata'> {
  const maxDurationMs = step.maxDuration ?? step.maxDurationMs
  const retryJitter = step.retryJitter ?? settings.retryJitter ?? 0
  const { timeoutMs, warnAfterMs } = attemptLimits(step, settings, path, reporter)
  const scoring = step.scoring?.enabled === false ? undefined : step.scoring
  return {
    id: step.id,
    ...(step.name === undefined ? {} : { name: step.name }),
    agent: step.agent,
    ...(step.action === undefined ? {} : { action: step.action }),
    ...(step.type === undefined ? {} : { type: step.type }),
    ...(step.service === undefined ? {} : { service: step.service }),
    ...(step.condition === undefined ? {} : { condition: step.condition }),
    ...(step.join === 'any' ? { join: 'any' } : {}),
    ...(step.continueOnError === true ? { continueOnError: true } : {}),
    ...(step.inputSchema === undefined ? {} : { inputSchema: step.inputSchema }),
    ...(step.outputSchema === undefined ? {} : { outputSchema: step.outputSchema }),
    requires: artifactPaths(step.requires ?? [], [...path, 'requires'], reporter),
    creates: artifactPaths(step.creates ?? [], [...path, 'creates'], reporter),
    parameters: step.parameters ?? {},
    retries: step.retries ?? settings.retries ?? definitionDefaults.retries,
    retryDelayMs:
      step.retryDelay ??
      step.retryDelayMs ??
      settings.retryDelay ??
      settings.retryDelayMs ??
      definitionDefaults.retryDelayMs,
    ...(retryJitter === 0 ? {} : { retryJitter }),
    ...(step.stage === undefined ? {} : { stage: step.stage }),
    timeoutMs,
    ...(warnAfterMs === undefined ? {} : { warnAfterMs }),
    ...(maxDurationMs === undefined ? {} : { maxDurationMs }),
    ...(scoring === undefined
      ? {}
      : {
          scoring: canonicalScoring(scoring.thresholds ?? {}, [...path, 'scoring', 'thresholds'], reporter),
        }),
    ...(step.gate === undefined ? {} : { gate: canonicalGate(step.gate) }),
    ...(step.undo === undefined ? {} : { undo: canonicalUndo(step.undo, timeoutMs) }),
    ...(step.milestone === true ? { milestone: true } : {}),
  }
}

/** A step's own value wins over that of its stage, and that over the general one; only what a stage says is multiplied. */
function attemptLimits(
  step: StepShape,
  settings: SettingsShape,
  path: SourcePath,
  reporter: Reporter,
): { readonly timeoutMs: number; readonly warnAfterMs: number | undefined } {
  const { stages = {}, timeoutMultiplier = 1 } = settings
  const stage = step.stage !== undefined && Object.hasOwn(stages, step.stage) ? stages[step.stage] : undefined
  const multiplied = (ms: number | undefined): number | undefined =>
    ms === undefined ? undefined : Math.round(ms * timeoutMultiplier)
  const timeoutMs =
    step.timeout ??
    step.timeoutMs ??
    multiplied(stage?.timeout ?? stage?.timeoutMs) ??
    settings.stepTimeout ??
    settings.stepTimeoutMs ??
    definitionDefaults.stepTimeoutMs
  const warnAfterMs = step.warnAfter ?? step.warnAfterMs ?? multiplied(stage?.warnAfter ?? stage?.warnAfterMs)
  if (warnAfterMs !== undefined && warnAfterMs >= timeoutMs) {
    reporter.add(
      path,
      `warns after ${formatDuration(warnAfterMs)}, which its limit of ${formatDuration(timeoutMs)} does not let it reach`,
    )
  }
  return { timeoutMs, warnAfterMs }
}

/** Limits of a stage that no step belongs to are limits of nothing. */
export function checkStages({ settings, steps }: WorkflowShape, reporter: Reporter): void {
  const named = new Set(steps.flatMap(({ stage }) => stage ?? []))
  for (const stage of Object.keys(settings?.stages ?? {})) {
    if (named.has(stage)) continue
    reporter.add(['settings', 'stages', stage], `is the stage of no step. ${suggestion(stage, named)}`)
  }
}

function canonicalUndo(undo: NonNullable<StepShape['undo']>, stepTimeoutMs: number): UndoDefinition {
  const { agent, action, parameters = {}, timeout, timeoutMs = timeout ?? stepTimeoutMs } = undo
  return { agent, ...(action === undefined ? {} : { action }), parameters, timeoutMs }
}

function canonicalGate({
  condition,
  expiresAfter,
  expiresAfterMs = expiresAfter,
  onFail,
  maxLoops,
}: NonNullable<StepShape['gate']>): GateDefinition {
  return {
    ...(condition === undefined ? {} : { condition }),
    ...(expiresAfterMs === undefined ? {} : { expiresAfterMs }),
    ...(onFail === undefined ? {} : { onFail }),
    maxLoops: maxLoops ?? definitionDefaults.maxLoops,
  }
}

function canonicalScoring(
  written: Readonly<Record<string, number>>,
  path: SourcePath,
  reporter: Reporter,
): ScoringDefinition {
  const thresholds: Record<string, number> = {}
  for (const [key, least] of Object.entries(written)) {
    const name = thresholdName(key)
    if (name === undefined) {
      reporter.add(
        [...path, key],
        `is not understood: a threshold is a least value and ends in '_min', such as 'overall_min'`,
      )
    } else if (Object.hasOwn(thresholds, name)) {
      reporter.add([...path, key], `sets the least '${name}' a second time`)
    } else {
      thresholds[name] = least
    }
  }
  return { thresholds }
}

/** `overall` for `overall_min` and `overallMin`. */
export function thresholdName(key: string): string | undefined {
  return /^(?<name>.+?)(?:_min|(?<=[a-z0-9])Min)$/.exec(key)?.groups?.['name']
}

function artifactPaths(written: readonly string[], path: SourcePath, reporter: Reporter): readonly string[] {
  const paths = new Set<string>()
  for (const [position, text] of written.entries()) {
    try {
      const artifact = artifactPath(text)
      paths.add(artifact)
      if (liesInStateFolder(artifact)) {
        reporter.add(
          [...path, position],
          `is '${text}': the folder .workflow/ holds the state of the runs and no artifacts`,
        )
      }
    } catch (error) {
      reporter.add([...path, position], `cannot be used. ${messageOf(error)}`)
    }
  }
  return [...paths]
}
