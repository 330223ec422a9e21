import type { JsonObject } from '../../core/index.ts'
import type { WrittenPath } from './written-path.ts'

export type Dialect = 'agent workflow' | 'graph' | 'service pipeline'

/** A workflow whose keys have been told apart and brought to those of agent workflows, with its values still unchecked. */
export interface SplitWorkflow {
  readonly dialect: Dialect
  readonly written: WrittenPath
  /** Known keys only, in camelCase. */
  readonly workflow: JsonObject
  /** Everything else at workflow level. */
  readonly metadata: JsonObject
  /** Everything else of each step. */
  readonly stepMetadata: readonly JsonObject[]
  /** Everything else of each connection; empty but for graphs. */
  readonly connectionMetadata: readonly JsonObject[]
}
