import type { AgentWorkflow } from './agent-workflow.ts'
import type { GraphWorkflow } from './graph-workflow.ts'
import type { ServicePipelines } from './service-pipelines.ts'

/** A workflow that has been written down and not yet been read. */
export interface WorkflowSource {
  readonly kind: 'workflow-source'
  /** The authored value; undefined when there is a text. */
  readonly value: unknown
  /** YAML or JSON. */
  readonly text?: string
  /** Where the text came from, for messages. */
  readonly file?: string
  /** Which workflow, of a file that holds several. */
  readonly workflow?: string
}

/**
 * Writes a workflow in TypeScript. Takes a frozen copy; what is wrong with it is reported when it is loaded.
 *
 * ```ts
 * export default defineWorkflow({
 *   id: 'release',
 *   steps: [
 *     { id: 'build', agent: 'builder', creates: ['dist/app.js'] },
 *     { id: 'review', agent: 'reviewer', requires: ['dist/app.js'] },
 *   ],
 * })
 * ```
 */
export function defineWorkflow(workflow: AgentWorkflow): WorkflowSource
export function defineWorkflow(workflow: GraphWorkflow): WorkflowSource
/** @param workflow Which of several. */
export function defineWorkflow(pipelines: ServicePipelines, workflow?: string): WorkflowSource
export function defineWorkflow(
  definition: AgentWorkflow | GraphWorkflow | ServicePipelines,
  workflow?: string,
): WorkflowSource {
  return Object.freeze({
    kind: 'workflow-source',
    value: frozenCopy(definition, new Map()),
    ...(workflow === undefined ? {} : { workflow }),
  })
}

/**
 * A workflow as YAML or JSON text; `file` is named in messages and never opened.
 *
 * @param workflow Which one, of a file that holds several.
 */
export function workflowFromText(text: string, file: string, workflow?: string): WorkflowSource {
  return Object.freeze({
    kind: 'workflow-source',
    value: undefined,
    text,
    file,
    ...(workflow === undefined ? {} : { workflow }),
  })
}

/** Copies lists and plain objects; anything else stays as it is, for the reader to refuse by its path. */
function frozenCopy(value: unknown, copies: Map<object, object>): unknown {
  if (typeof value !== 'object' || value === null) return value
  const known = copies.get(value)
  if (known !== undefined) return known
  if (Array.isArray(value)) {
    const list: unknown[] = []
    copies.set(value, list)
    for (const item of value) list.push(frozenCopy(item, copies))
    return Object.freeze(list)
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const copy = Object.create(null) as Record<string, unknown>
  copies.set(value, copy)
  for (const [key, member] of Object.entries(value)) copy[key] = frozenCopy(member, copies)
  return Object.freeze(copy)
}
