import type { JsonObject } from '../core/index.ts'

/**
 * The one canonical form that every dialect becomes: camelCase, units in names, every default filled in, every edge
 * explicit. It is what event 0 of a run holds and what digests of a definition are taken of.
 */
export interface WorkflowDefinition {
  readonly id: string
  readonly name: string
  readonly version: string
  readonly description?: string
  readonly limits: WorkflowLimits
  /** `continue`: a failed step stops only what depends on it. Absent: it stops the run, but for its finalisers. */
  readonly onStepFailure?: 'continue'
  /** When a failure ends the run, completed steps are undone first, the last one first. */
  readonly rollback?: true
  /** JSON Schema of the run's input. */
  readonly inputSchema?: JsonObject
  /** What the steps of a service pipeline speak to, by name, as it stood in the source. */
  readonly services?: Readonly<Record<string, JsonObject>>
  readonly steps: readonly StepDefinition[]
  /** What must finish before what, by step id; sorted by the order of the steps; no duplicates, no cycles. */
  readonly edges: readonly EdgeDefinition[]
  /** Keys that faultline does not interpret, as they stood in the source. */
  readonly metadata: JsonObject
}

export interface WorkflowLimits {
  /** At most so many steps in flight. Default 5. */
  readonly maxConcurrentSteps: number
  /** The whole run, from its start or its latest resume; absent: no limit. */
  readonly timeoutMs?: number
  /** Of that limit: when it is worth a warning; absent: never. */
  readonly warnAfterMs?: number
  /** How long steps in flight may go on after the run was cancelled; absent: they are aborted at once. */
  readonly cancelGraceMs?: number
}

export interface EdgeDefinition {
  readonly from: string
  readonly to: string
  /** CEL or a name (`on_success`, ...); absent: the connection is always taken. */
  readonly condition?: string
  /** Taken also when `from` is skipped: between neighbours of a list of which the first has a condition. */
  readonly passesSkipped?: true
  /** Keys that faultline does not interpret, as they stood in the source. */
  readonly metadata?: JsonObject
}

/** Conditions that have a name; everything else is CEL. */
export const namedConditions = ['on_success', 'on_failure', 'always', 'has_failures'] as const

export type NamedCondition = (typeof namedConditions)[number]

export interface StepDefinition {
  readonly id: string
  readonly name?: string
  /** Name of the agent that performs the step. */
  readonly agent: string
  readonly action?: string
  /** Kind of a graph's node or of a pipeline's step, such as `trigger`. */
  readonly type?: string
  /** Key of `services`. */
  readonly service?: string
  /** CEL or a name (`on_success`, ...), judged when the step could start; absent: it runs. */
  readonly condition?: string
  /** `any`: one incoming connection is enough. Absent: all that can still be taken. */
  readonly join?: 'any'
  /** Its failure is tolerated: the run goes on and ends degraded. */
  readonly continueOnError?: true
  /** JSON Schema of the resolved parameters. */
  readonly inputSchema?: JsonObject
  /** JSON Schema of the output. */
  readonly outputSchema?: JsonObject
  /** Files (or folders, ending in `/`) the step reads. */
  readonly requires: readonly string[]
  /** Files (or folders, ending in `/`) the step must produce. */
  readonly creates: readonly string[]
  /** Handed to the agent with its references (`${input.name}`, `${build.output.items[0]}`) resolved. */
  readonly parameters: JsonObject
  /** Extra tries after the first. Default 0. */
  readonly retries: number
  /** Wait before the first retry; doubles with each further one. Default 1,000. */
  readonly retryDelayMs: number
  /** How far a wait may deviate from its length, drawn from the run's seed: 0.2 is a fifth either way. Absent: not at all. */
  readonly retryJitter?: number
  /** What the step belongs to, for people and for limits that several steps share. */
  readonly stage?: string
  /** Limit of one attempt. Default 30,000. */
  readonly timeoutMs: number
  /** An attempt that takes this long is worth a warning. */
  readonly warnAfterMs?: number
  /** Limit of the step over all its attempts and waits; absent: what those add up to. */
  readonly maxDurationMs?: number
  readonly scoring?: ScoringDefinition
  readonly gate?: GateDefinition
  /** What takes back what the step has done. */
  readonly undo?: UndoDefinition
  /** A checkpoint is kept each time the step completes. */
  readonly milestone?: true
  /** Keys that faultline does not interpret (`condition: optional`, `context_tier`, ...), as they stood in the source. */
  readonly metadata: JsonObject
}

export interface ScoringDefinition {
  /** Least value per score name; `passed` is true when `output.scores.<name>` reaches every one. */
  readonly thresholds: Readonly<Record<string, number>>
}

export interface UndoDefinition {
  readonly agent: string
  readonly action?: string
  /** As those of a step; references may name the step itself. */
  readonly parameters: JsonObject
  readonly timeoutMs: number
}

/** Has a condition, or is answered by people. */
export interface GateDefinition {
  /** A CEL expression over `input`, `output`, `scoring`, `steps`, `run`; absent: somebody has to answer. */
  readonly condition?: string
  /** How long an answer is waited for; absent: for ever. */
  readonly expiresAfterMs?: number
  /** Step to return to when the gate fails; absent: a failed gate fails the run. */
  readonly onFail?: string
  /** Returns allowed (3 = four evaluations). Default 3. */
  readonly maxLoops: number
}

export const definitionDefaults = {
  version: '0.0.0',
  maxConcurrentSteps: 5,
  retries: 0,
  retryDelayMs: 1_000,
  stepTimeoutMs: 30_000,
  maxLoops: 3,
} as const
