import type { WorkflowSnapshot } from '../trace/index.ts'
import type { BundleSnapshots } from './bundle.ts'

/**
 * What the failure has changed in the state on disk, in a few words: `run running → failed`, `review pending → failed`,
 * `+dist/app.js`. Nothing where one of the two states was not taken.
 */
export function failureDiff({ beforeFailure, atFailure }: BundleSnapshots): readonly string[] {
  if (beforeFailure === null || atFailure === null) return []
  return [
    ...changes(statusesOf(beforeFailure), statusesOf(atFailure)),
    ...changedFiles(beforeFailure, atFailure),
  ]
}

function statusesOf({ state }: WorkflowSnapshot): ReadonlyMap<string, string> {
  const steps = Object.entries(state.steps).map(([id, { status }]) => [id, status] as const)
  return new Map([['run', state.status], ...steps])
}

function changes(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>): readonly string[] {
  return [...after].flatMap(([name, status]) => {
    const was = before.get(name) ?? 'absent'
    return was === status ? [] : [`${name} ${was} → ${status}`]
  })
}

/** `+` new, `~` changed, `-` gone. */
function changedFiles(before: WorkflowSnapshot, after: WorkflowSnapshot): readonly string[] {
  const [were, are] = [digestsOf(before), digestsOf(after)]
  const now = [...are].flatMap(([path, sha256]) => {
    if (!were.has(path)) return [`+${path}`]
    return were.get(path) === sha256 ? [] : [`~${path}`]
  })
  return [...now, ...[...were.keys()].filter((path) => !are.has(path)).map((path) => `-${path}`)]
}

function digestsOf({ artifacts }: WorkflowSnapshot): ReadonlyMap<string, string> {
  return new Map(artifacts.map(({ path, sha256 }) => [path, sha256]))
}
