import { createDigest } from '../../src/adapters/node/index.ts'
import { canonicalJson } from '../../src/core/index.ts'
import type { EndedLife, Evidence, FileTree } from '../../src/harness/invariants/index.ts'

/** An event of a log as anything may have become of it. */
export type Tampered = Record<string, unknown>

const { crc32, sha256 } = createDigest()
const encoder = new TextEncoder()

export function logPathOf({ runId }: Evidence): string {
  return `.workflow/runs/${runId}/events.jsonl`
}

export function statePathOf({ runId }: Evidence): string {
  return `.workflow/runs/${runId}/state.json`
}

/** An event by its words, such as `step_start build#1@2` or `workflow_end`. */
export function find(events: readonly Tampered[], words: string): number {
  const index = events.findIndex((event) => wordsOf(event) === words)
  if (index < 0) throw new Error(`There is no event '${words}': ${events.map(wordsOf).join(', ')}`)
  return index
}

/** Changes the events of the log; intact lines with numbers in order come out. */
export function withEvents(evidence: Evidence, change: (events: Tampered[]) => Tampered[]): Evidence {
  return withRawEvents(evidence, (events) => change(events).map((event, seq) => ({ ...event, seq })))
}

/** Changes the events of the log and leaves their numbers alone. */
export function withRawEvents(evidence: Evidence, change: (events: Tampered[]) => Tampered[]): Evidence {
  const path = logPathOf(evidence)
  return { ...evidence, files: withFile(evidence.files, path, logOf(change(eventsIn(evidence.files, path)))) }
}

export function eventsIn(files: FileTree, path: string): Tampered[] {
  const text = new TextDecoder().decode(files.get(path))
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line.slice(9)) as Tampered)
}

export function logOf(events: readonly Tampered[]): string {
  return events.map(lineOf).join('')
}

export function lineOf(event: Tampered): string {
  const json = JSON.stringify(event)
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`
}

/** Changes one event in place. */
export function change(words: string, fields: Tampered): (events: Tampered[]) => Tampered[] {
  return (events) => events.with(find(events, words), { ...events[find(events, words)], ...fields })
}

export function remove(words: string): (events: Tampered[]) => Tampered[] {
  return (events) => events.toSpliced(find(events, words), 1)
}

/** Puts a copy of one event, with some fields changed, right after another. */
export function copy(words: string, fields: Tampered, after: string): (events: Tampered[]) => Tampered[] {
  return (events) =>
    events.toSpliced(find(events, after) + 1, 0, { ...events[find(events, words)], ...fields })
}

/** Moves an event right before another. */
export function move(words: string, before: string): (events: Tampered[]) => Tampered[] {
  return (events) => {
    const event = events[find(events, words)] as Tampered
    const rest = events.toSpliced(find(events, words), 1)
    return rest.toSpliced(find(rest, before), 0, event)
  }
}

export function withFile(files: FileTree, path: string, data: string | Uint8Array): FileTree {
  return new Map([...files, [path, typeof data === 'string' ? encoder.encode(data) : data]])
}

export function withoutFile(files: FileTree, path: string): FileTree {
  return new Map([...files].filter(([other]) => other !== path))
}

/** Writes a changed state.json with a checksum that holds. */
export function withState(evidence: Evidence, change: (body: Tampered) => Tampered): Evidence {
  const path = statePathOf(evidence)
  const text = new TextDecoder().decode(evidence.files.get(path))
  const { checksum, ...body } = JSON.parse(text) as Tampered
  void checksum
  const changed = change(body)
  const data = canonicalJson({ ...changed, checksum: sha256(canonicalJson(changed)) })
  return { ...evidence, files: withFile(evidence.files, path, data) }
}

export function withLife(evidence: Evidence, index: number, fields: Partial<EndedLife>): Evidence {
  const life = evidence.earlierLives[index] as EndedLife
  return { ...evidence, earlierLives: evidence.earlierLives.with(index, { ...life, ...fields }) }
}

function wordsOf(event: Tampered): string {
  const { kind, step, visit, attempt } = event as Readonly<Record<string, string | number | undefined>>
  return attempt === undefined ? `${kind}` : `${kind} ${step}#${visit}@${attempt}`
}
