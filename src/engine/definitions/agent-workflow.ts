import type { ZodType } from 'zod'
import type { JsonObject } from '../../core/index.ts'

/** `'500ms'`, `'30s'`, `'2m'` (or `'2min'`), `'1.5h'`. A plain number counts seconds. */
export type DurationText = `${number}${'ms' | 's' | 'm' | 'min' | 'h'}`

/**
 * An agent workflow as people write it. Every key may be spelt in camelCase or in snake_case, but only once; here both
 * spellings have a type, so that a mistyped key is a compile error.
 */
export interface AgentWorkflow {
  /** Letters, digits, `_`, `-`, `.`; names the workflow in state, events and logs. */
  readonly id: string
  /** For people. Default: the id. */
  readonly name?: string
  /** Default `0.0.0`. */
  readonly version?: string
  readonly description?: string
  readonly settings?: AgentWorkflowSettings
  /** JSON Schema (or Zod schema) of the run's input. */
  readonly inputSchema?: JsonObject | ZodType
  /** Same as `inputSchema`. */
  readonly input_schema?: JsonObject | ZodType
  /** Kept, never interpreted. */
  readonly metadata?: JsonObject
  /**
   * At least one. What depends on what follows from `next`, `dependsOn`, `gate.onPass`, and from `requires` matched to
   * `creates`. Only when no step has a `next`, `dependsOn` or `requires`, not even an empty one, do they run in list order;
   * neighbours with `parallel: true` then run side by side.
   */
  readonly steps: readonly AgentStep[]
}

export interface AgentWorkflowSettings {
  /** Steps in flight at once. Default 5. */
  readonly maxConcurrentSteps?: number
  /** Same as `maxConcurrentSteps`. */
  readonly max_concurrent_steps?: number
  /** `continue`: a failed step stops only what depends on it. Default `stop`. */
  readonly onStepFailure?: 'stop' | 'continue'
  /** Same as `onStepFailure`. */
  readonly on_step_failure?: 'stop' | 'continue'
  /** When a failure ends the run, what completed steps have done is undone, the last one first. Default false. */
  readonly rollback?: boolean
  /** How far the wait before a retry may deviate from its length, drawn from the run's seed: 0.2 is a fifth. Default 0. */
  readonly retryJitter?: number
  /** Same as `retryJitter`. */
  readonly retry_jitter?: number
  /** Limits that the steps of a stage share, by its name. A step's own value wins. */
  readonly stages?: Readonly<Record<string, StageLimits>>
  /** What the limits of stages, and those alone, are multiplied by. Default 1. */
  readonly timeoutMultiplier?: number
  /** Same as `timeoutMultiplier`. */
  readonly timeout_multiplier?: number
  /** When a run that takes so long is worth a warning; below `timeout`. Default never. */
  readonly warnAfter?: number | DurationText
  /** Same as `warnAfter`. */
  readonly warn_after?: number | DurationText
  /** Same as `warnAfter`, in milliseconds. */
  readonly warnAfterMs?: number
  /** Same as `warnAfter`, in milliseconds. */
  readonly warn_after_ms?: number
  /** How long steps in flight may go on after the run was cancelled. Default 0: they are aborted at once. */
  readonly cancelGrace?: number | DurationText
  /** Same as `cancelGrace`. */
  readonly cancel_grace?: number | DurationText
  /** Same as `cancelGrace`, in milliseconds. */
  readonly cancelGraceMs?: number
  /** Same as `cancelGrace`, in milliseconds. */
  readonly cancel_grace_ms?: number
  /** Limit of the whole run, counted from its start or latest resume. Default: none. */
  readonly timeout?: number | DurationText
  /** Same as `timeout`, in milliseconds. */
  readonly timeoutMs?: number
  /** Same as `timeout`, in milliseconds. */
  readonly timeout_ms?: number
  /** Limit of one attempt, for steps without a `timeout`. Default 30 s. */
  readonly stepTimeout?: number | DurationText
  /** Same as `stepTimeout`. */
  readonly step_timeout?: number | DurationText
  /** Same as `stepTimeout`, in milliseconds. */
  readonly stepTimeoutMs?: number
  /** Same as `stepTimeout`, in milliseconds. */
  readonly step_timeout_ms?: number
  /** Extra tries, for steps without `retries`. Default 0. */
  readonly retries?: number
  /** Wait before the first retry, for steps without a `retryDelay`. Default 1 s. */
  readonly retryDelay?: number | DurationText
  /** Same as `retryDelay`. */
  readonly retry_delay?: number | DurationText
  /** Same as `retryDelay`, in milliseconds. */
  readonly retryDelayMs?: number
  /** Same as `retryDelay`, in milliseconds. */
  readonly retry_delay_ms?: number
}

export interface StageLimits {
  /** Limit of one attempt of each of its steps. */
  readonly timeout?: number | DurationText
  /** Same as `timeout`, in milliseconds. */
  readonly timeoutMs?: number
  /** Same as `timeout`, in milliseconds. */
  readonly timeout_ms?: number
  /** An attempt that takes this long is worth a warning. */
  readonly warnAfter?: number | DurationText
  /** Same as `warnAfter`. */
  readonly warn_after?: number | DurationText
  /** Same as `warnAfter`, in milliseconds. */
  readonly warnAfterMs?: number
  /** Same as `warnAfter`, in milliseconds. */
  readonly warn_after_ms?: number
}

export interface AgentStep {
  /** Unique within the workflow; letters, digits, `_`, `-`, `.`. */
  readonly id: string
  readonly name?: string
  /** Name of the agent that performs the step. */
  readonly agent: string
  /** What the agent is to do, in its own terms. */
  readonly action?: string
  /** Files (or folders, ending in `/`) that the step reads. One that another step creates makes it wait for that step. */
  readonly requires?: string | readonly string[]
  /** Files (or folders, ending in `/`) that the step must produce. */
  readonly creates?: string | readonly string[]
  /** Handed to the agent with its references (`${input.name}`, `${build.output.items[0]}`) resolved. */
  readonly parameters?: JsonObject
  /** Steps that wait for this one. */
  readonly next?: string | readonly string[]
  /** Steps that this one waits for. */
  readonly dependsOn?: string | readonly string[]
  /** Same as `dependsOn`. */
  readonly depends_on?: string | readonly string[]
  /**
   * Whether it runs: `on_success`, `on_failure`, `always`, `has_failures`, or a CEL expression over `input`, `steps` and `run`.
   * `required` and `optional` are notes for readers: the step runs either way.
   */
  readonly condition?: string
  /** What it waits for: all incoming connections that can still be taken (default), or any one of them. */
  readonly join?: 'all-active' | 'any'
  /** Starts together with its neighbours that say so too, where steps run in list order. */
  readonly parallel?: boolean
  /** Its failure is tolerated: the run goes on and ends degraded. */
  readonly continueOnError?: boolean
  /** Same as `continueOnError`. */
  readonly continue_on_error?: boolean
  /** JSON Schema (or Zod schema) of the resolved parameters. */
  readonly inputSchema?: JsonObject | ZodType
  /** Same as `inputSchema`. */
  readonly input_schema?: JsonObject | ZodType
  /** JSON Schema (or Zod schema) of the output. */
  readonly outputSchema?: JsonObject | ZodType
  /** Same as `outputSchema`. */
  readonly output_schema?: JsonObject | ZodType
  readonly scoring?: StepScoring
  readonly gate?: StepGate
  /** Whether a checkpoint is kept each time the step completes. Default false. */
  readonly milestone?: boolean
  /** What takes back what the step has done, should a later failure end the run (`settings.rollback`). */
  readonly undo?: StepUndo
  /** What the step belongs to: for people, and for limits in `settings.stages`. */
  readonly stage?: string
  /** Extra tries after the first. Default 0. */
  readonly retries?: number
  /** Wait before the first retry; doubles with each further one. Default 1 s. */
  readonly retryDelay?: number | DurationText
  /** Same as `retryDelay`. */
  readonly retry_delay?: number | DurationText
  /** Same as `retryDelay`, in milliseconds. */
  readonly retryDelayMs?: number
  /** Same as `retryDelay`, in milliseconds. */
  readonly retry_delay_ms?: number
  /** How far that wait may deviate from its length, drawn from the run's seed: 0.2 is a fifth. Default 0. */
  readonly retryJitter?: number
  /** Same as `retryJitter`. */
  readonly retry_jitter?: number
  /** An attempt that takes this long is worth a warning. Must be less than `timeout`. */
  readonly warnAfter?: number | DurationText
  /** Same as `warnAfter`. */
  readonly warn_after?: number | DurationText
  /** Same as `warnAfter`, in milliseconds. */
  readonly warnAfterMs?: number
  /** Same as `warnAfter`, in milliseconds. */
  readonly warn_after_ms?: number
  /** Limit of one attempt. Default 30 s. */
  readonly timeout?: number | DurationText
  /** Same as `timeout`, in milliseconds. */
  readonly timeoutMs?: number
  /** Same as `timeout`, in milliseconds. */
  readonly timeout_ms?: number
  /** Limit of the step over all its attempts and the waits between them. Default: what those add up to. */
  readonly maxDuration?: number | DurationText
  /** Same as `maxDuration`. */
  readonly max_duration?: number | DurationText
  /** Same as `maxDuration`, in milliseconds. */
  readonly maxDurationMs?: number
  /** Same as `maxDuration`, in milliseconds. */
  readonly max_duration_ms?: number
  /** Kept, never interpreted. */
  readonly metadata?: JsonObject
}

export interface StepScoring {
  /** `false` switches the thresholds off. Default true. */
  readonly enabled?: boolean
  /** Least value per score: `overall_min: 70` asks for `output.scores.overall >= 70`. */
  readonly thresholds?: Readonly<Record<`${string}_min` | `${string}Min`, number>>
}

/** Takes back what a step has done: called once, with the step's output within reach. */
export interface StepUndo {
  readonly agent: string
  readonly action?: string
  /** References may also name the step itself: `${charge.output.id}`. */
  readonly parameters?: JsonObject
  /** Default: as the step. */
  readonly timeout?: number | DurationText
  /** Same as `timeout`, in milliseconds. */
  readonly timeoutMs?: number
  /** Same as `timeout`, in milliseconds. */
  readonly timeout_ms?: number
}

/** Decides whether a step that has run is completed: by a `condition`, or by the answer of a person. */
export interface StepGate {
  /** A CEL expression over `input`, `output`, `scoring`, `steps` and `run`, such as `scoring.passed == true`. */
  readonly condition?: string
  /** In place of a condition: the run waits until somebody answers. */
  readonly human?: boolean
  /** With `human`: a gate that is not answered by then has failed the run. Default: it is waited for for ever. */
  readonly expiresAfter?: number | DurationText
  /** Same as `expiresAfter`. */
  readonly expires_after?: number | DurationText
  /** Same as `expiresAfter`, in milliseconds. */
  readonly expiresAfterMs?: number
  /** Same as `expiresAfter`, in milliseconds. */
  readonly expires_after_ms?: number
  /** A step that waits for the gate to pass. */
  readonly onPass?: string
  /** Same as `onPass`. */
  readonly on_pass?: string
  /** Step to return to when the gate fails: the gated step or one that it depends on. Default: the run fails. */
  readonly onFail?: string
  /** Same as `onFail`. */
  readonly on_fail?: string
  /** Returns allowed. Default 3, which makes four evaluations. */
  readonly maxLoops?: number
  /** Same as `maxLoops`. */
  readonly max_loops?: number
}
