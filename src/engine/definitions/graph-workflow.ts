import type { JsonObject } from '../../core/index.ts'
import type { AgentStep, AgentWorkflow } from './agent-workflow.ts'

/**
 * A graph as people write it: nodes, and connections that alone decide the order. Keys may be spelt in camelCase or in
 * snake_case. `nodes` and `connections` may also stand under `workflow_data`, as editors of graphs export them.
 */
export interface GraphWorkflow extends Omit<AgentWorkflow, 'steps'> {
  readonly nodes: readonly GraphNode[]
  readonly connections?: readonly GraphConnection[]
  /** Same as `connections`. */
  readonly edges?: readonly GraphConnection[]
}

export interface GraphNode extends Omit<
  AgentStep,
  'agent' | 'next' | 'dependsOn' | 'depends_on' | 'parallel'
> {
  /** What kind of node it is; `trigger` begins a graph. The agent of this name performs it, unless `agent` names another. */
  readonly type?: string
  readonly agent?: string
  /** Same as `agent`. */
  readonly service?: string
  /** Same as `name`. */
  readonly title?: string
  /** Same as `name`. */
  readonly label?: string
  /**
   * `agent`, `service`, `action`, `parameters`, retries, limits and schemas mean what they mean on the node; without
   * `parameters`, all other keys are the parameters.
   */
  readonly config?: JsonObject
}

export interface GraphConnection {
  readonly source: string
  readonly target: string
  /**
   * Whether it is taken: `on_success`, `on_failure`, `always`, `has_failures`, or a CEL expression over the fields of the
   * source's output, `output`, `scoring`, `input`, `steps` and `run`. None, or an empty one: always.
   */
  readonly condition?: string | null
}
