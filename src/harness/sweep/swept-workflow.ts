import type { JsonObject, JsonValue } from '../../core/index.ts'
import type { WorkflowDefinition } from '../../definition/index.ts'
import type { AgentPort, DigestPort, GateDecision, WorkflowDriver } from '../../ports/index.ts'
import type { KnownFiles } from '../../trace/index.ts'
import type { GateController } from '../contract.ts'
import type { Outside } from '../outside.ts'

/** What is the same in every scenario of a sweep. */
export interface SweptWorkflow {
  readonly definition: WorkflowDefinition
  readonly agents: AgentPort
  readonly gates: Readonly<Record<string, GateController>>
  readonly input: JsonValue
  readonly seed: number | string
  readonly driver: WorkflowDriver
  readonly digest: DigestPort
  readonly realWaitMs: number
  readonly outside: Outside
  readonly operator?: SweepOperator
  /** The project on the real disk, to which nobody is to write. */
  readonly folder?: string
  /** What its lives have read of its files. */
  readonly knownFiles: KnownFiles
  /** Told whenever a gate is asked. */
  readonly onGate?: () => void
}

/** What people do for a run that has come to a standstill. */
export interface SweepOperator {
  /** How gates that wait for a person are answered, by step id. */
  readonly answers?: Readonly<Record<string, GateDecision | boolean>>
  /** Put over the run's input when it is paused for want of some. */
  readonly input?: JsonObject
}
