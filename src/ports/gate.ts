import type { JsonValue } from '../core/index.ts'
import type { GateDefinition } from '../definition/index.ts'
import type { ScoringResult } from '../trace/index.ts'

/** What a gate is asked. */
export interface GateRequest {
  readonly workflowId: string
  readonly runId: string
  readonly step: string
  readonly visit: number
  readonly attempt: number
  readonly gate: GateDefinition
  readonly input: JsonValue
  readonly output: JsonValue
  readonly scoring: ScoringResult | undefined
  /** Output and status of every step so far, by step id. */
  readonly steps: Readonly<Record<string, GateStepView>>
}

export interface GateStepView {
  readonly status: string
  readonly output: JsonValue
  readonly scoring: ScoringResult | null
  /** What it has found, by `failures` of its output. */
  readonly failures: readonly JsonValue[]
}

export interface GateDecision {
  readonly passed: boolean
  readonly reason?: string
}

export interface GatePort {
  /** @throws (rejects) when the gate cannot be judged: a gate error, never a pass and never a silent fail. */
  decide(request: GateRequest): Promise<GateDecision>
}
