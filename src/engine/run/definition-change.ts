import { canonicalJson, jsonDiff } from '../../core/index.ts'
import type { JsonChange } from '../../core/index.ts'
import type { WorkflowDefinition } from '../../definition/index.ts'

/** What has changed between two definitions that are not the same, one phrase a change. */
export function definitionChanges(before: WorkflowDefinition, after: WorkflowDefinition): readonly string[] {
  const [was, now] = [byName(before), byName(after)]
  const changes = was.flatMap((part, index) => jsonDiff(part, now[index]))
  return changes.length === 0 ? ['the steps are in another order'] : changes.map(phrase)
}

/** Steps and edges by name: a step that was put in then is one change and moves no other. Edges, which follow from steps, last. */
function byName({ steps, edges, ...rest }: WorkflowDefinition): readonly unknown[] {
  return [
    rest,
    { steps: Object.fromEntries(steps.map(({ id, ...step }) => [id, step])) },
    { edges: Object.fromEntries(edges.map(({ from, to }) => [`${from} -> ${to}`, true])) },
  ]
}

function phrase({ path, before, after }: JsonChange): string {
  if (before === undefined) return `${path} is new`
  if (after === undefined) return `${path} is gone`
  return `${path}: ${shorten(before)} is now ${shorten(after)}`
}

const longestValue = 60

function shorten(value: unknown): string {
  const text = canonicalJson(value)
  return text.length <= longestValue ? text : `${text.slice(0, longestValue)}…`
}
