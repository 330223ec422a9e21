import type { JsonObject } from '../../core/index.ts'
import type { AgentStep, AgentWorkflow } from './agent-workflow.ts'

/** Workflows over shared services, as people write them in one file. Keys may be spelt in camelCase or in snake_case. */
export interface ServicePipelines {
  /** What steps speak to, by name; handed to their agents as `context.service`. */
  readonly services?: Readonly<Record<string, JsonObject>>
  /** By name, which is the id of the workflow. */
  readonly workflows: Readonly<Record<string, ServicePipeline>>
}

export interface ServicePipeline extends Omit<AgentWorkflow, 'id' | 'metadata' | 'steps'> {
  /** They run in this order; neighbours with `parallel: true` side by side. */
  readonly steps: readonly PipelineStep[]
}

export interface PipelineStep extends Omit<
  AgentStep,
  | 'id'
  | 'agent'
  | 'requires'
  | 'next'
  | 'dependsOn'
  | 'depends_on'
  | 'join'
  | 'scoring'
  | 'gate'
  | 'milestone'
  | 'metadata'
> {
  /** Default: the type and the service, such as `test-api`. */
  readonly id?: string
  /** The agent of this name performs it. */
  readonly type: string
  /** Key of `services`. */
  readonly service?: string
}
