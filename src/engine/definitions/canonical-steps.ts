import { messageOf } from '../../core/index.ts'
import type { JsonObject } from '../../core/index.ts'
import { definitionDefaults } from '../../definition/index.ts'
import type {
  GateDefinition,
  ScoringDefinition,
  StepDefinition,
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

export function canonicalLimits(settings: SettingsShape): WorkflowLimits {
  const timeoutMs = settings.timeout ?? settings.timeoutMs
  return {
    maxConcurrentSteps: settings.maxConcurrentSteps ?? definitionDefaults.maxConcurrentSteps,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  }
}

function canonicalStep(
  step: StepShape,
  settings: SettingsShape,
  path: SourcePath,
  reporter: Reporter,
): Omit<StepDefinition, 'metadata'> {
  const maxDurationMs = step.maxDuration ?? step.maxDurationMs
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
    timeoutMs:
      step.timeout ??
      step.timeoutMs ??
      settings.stepTimeout ??
      settings.stepTimeoutMs ??
      definitionDefaults.stepTimeoutMs,
    ...(maxDurationMs === undefined ? {} : { maxDurationMs }),
    ...(scoring === undefined
      ? {}
      : {
          scoring: canonicalScoring(scoring.thresholds ?? {}, [...path, 'scoring', 'thresholds'], reporter),
        }),
    ...(step.gate === undefined ? {} : { gate: canonicalGate(step.gate) }),
    ...(step.milestone === true ? { milestone: true } : {}),
  }
}

function canonicalGate({ condition, onFail, maxLoops }: NonNullable<StepShape['gate']>): GateDefinition {
  return {
    condition,
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
