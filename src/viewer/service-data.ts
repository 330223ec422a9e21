import type { StepDefinition, WorkflowDefinition } from '../definition/index.ts'
import type { RunSummary } from '../trace/index.ts'

/** What the service of runs answers and its page shows. */
export interface ShownWorkflows {
  readonly workflows: readonly ShownWorkflow[]
}

/** All of a definition but the settings of its services, which hold addresses and headers. */
export interface ShownWorkflow extends Omit<WorkflowDefinition, 'id' | 'name' | 'services' | 'steps'> {
  /** Its id: what it goes by in the service and in the history. */
  readonly name: string
  readonly title: string
  /** As named to the service. */
  readonly file: string | null
  readonly dialect: string
  readonly services: readonly string[]
  readonly steps: readonly ShownStep[]
}

/** Every field of a step; without a condition it is null. */
export interface ShownStep extends Omit<StepDefinition, 'condition'> {
  readonly condition: string | null
  /** Steps that come before it. */
  readonly dependsOn: readonly string[]
  /** Another step waits for the very same ones: the two may run side by side. */
  readonly parallel: boolean
}

export interface ShownServices {
  readonly services: readonly ShownService[]
}

export interface ShownService {
  readonly name: string
  /** As written: a variable of the environment is shown by its name. */
  readonly url: string | null
  /** Ids of the workflows that name it. */
  readonly workflows: readonly string[]
  readonly health: ShownHealth
}

export interface ShownHealth {
  readonly status: 'up' | 'down' | 'unknown'
  readonly detail: string
  readonly checkedAt: number
  readonly durationMs: number
}

export interface ShownRuns {
  readonly runs: readonly RunSummary[]
  /** Ids of runs that cannot be read. */
  readonly damaged: readonly string[]
}
