import { deepFreeze } from '../../core/index.ts'
import type { JsonObject } from '../../core/index.ts'

/** A workflow as somebody wrote it, not yet checked. */
export interface WorkflowSource {
  readonly kind: 'workflow-source'
  /** A definition in the authoring form; absent when there is `text`. */
  readonly value?: unknown
  /** YAML or JSON. */
  readonly text?: string
  /** Named in messages. */
  readonly file?: string
}

/** The authoring form of an agent workflow; the same keys in snake_case are read too, as YAML files have them. */
export interface AgentWorkflow {
  readonly id: string
  readonly name?: string
  readonly version?: string
  readonly description?: string
  readonly settings?: AgentWorkflowSettings
  readonly steps: readonly AgentStep[]
  readonly metadata?: JsonObject
}

export interface AgentWorkflowSettings {
  /** Default 5. */
  readonly maxConcurrentSteps?: number
  /** Limit of the whole run: seconds, or a text such as `'5m'`. Default: none. */
  readonly timeout?: number | string
  /** Limit of one attempt of every step that sets none. Default 30 s. */
  readonly stepTimeout?: number | string
}

export interface AgentStep {
  readonly id: string
  readonly name?: string
  readonly agent: string
  readonly action?: string
  /** Files, or folders ending in `/`, that the step reads. */
  readonly requires?: readonly string[]
  /** Files, or folders ending in `/`, that the step must write. */
  readonly creates?: readonly string[]
  readonly next?: string | readonly string[]
  readonly dependsOn?: string | readonly string[]
  /** Extra tries. Default 0. */
  readonly retries?: number
  /** Wait before the first retry: seconds or text. Default 1 s. */
  readonly retryDelay?: number | string
  /** Limit of one attempt: seconds or text. Default 30 s. */
  readonly timeout?: number | string
  readonly scoring?: { readonly thresholds: Readonly<Record<string, number>> }
  readonly gate?: {
    /** CEL over `input`, `output`, `scoring`, `steps`, `run`. */
    readonly condition: string
    readonly onPass?: string
    readonly onFail?: string
    /** Returns allowed. Default 3. */
    readonly maxLoops?: number
  }
  readonly parameters?: JsonObject
  readonly metadata?: JsonObject
}

/**
 * Declares a workflow in code. It is checked when it is first used.
 *
 * @example
 * const release = defineWorkflow({
 *   id: 'release',
 *   steps: [
 *     { id: 'build', agent: 'builder', creates: ['dist/app.js'] },
 *     { id: 'review', agent: 'reviewer', requires: ['dist/app.js'] },
 *   ],
 * })
 */
export function defineWorkflow(workflow: AgentWorkflow): WorkflowSource {
  return deepFreeze({ kind: 'workflow-source', value: { ...workflow } })
}

/** A workflow from the text of a YAML or JSON file. */
export function workflowFromText(text: string, file: string): WorkflowSource {
  return { kind: 'workflow-source', text, file }
}
