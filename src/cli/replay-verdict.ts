import { describeDivergence, firstDivergence } from '../trace/index.ts'
import type { NormaliseOptions, WorkflowEvent } from '../trace/index.ts'
import type { Bundle, BundleSession } from '../bundle/index.ts'

/** What a recording or a replay of it came to. */
export interface Replayed {
  readonly sessions: readonly ReplayedSession[]
  /** The whole message; undefined when nothing failed. */
  readonly error: string | undefined
  /** The failure in a line. */
  readonly what: string
  /** Set where it never came to what it was to repeat. */
  readonly strayed?: string
}

interface ReplayedSession {
  readonly events: readonly WorkflowEvent[]
}

export type ReplayVerdict =
  | { readonly kind: 'reproduced'; readonly what: string }
  | { readonly kind: 'passes' }
  | { readonly kind: 'diverged'; readonly what: string }

export type Times = NonNullable<NormaliseOptions['times']>

/** Times of a test repeat on the virtual clock; those of a run on the command line may come from several processes. */
export function timesOf({ manifest, sessions }: Bundle): readonly Times[] {
  return sessions.map(({ entry }) =>
    manifest.kind === 'run' || entry.clock === 'real' ? 'drop' : 'relative',
  )
}

export function recordedOutcome({ manifest, sessions }: Bundle): Replayed {
  const error = manifest.errors[0]?.message
  return { sessions, error, what: firstLine(error ?? manifest.reason) }
}

/**
 * What a replay from a snapshot is held against: where the run came to from there, whatever the test thought of it. A crash ends
 * it, which was not the run's own doing and does not happen again.
 */
export function recordedFrom({ events: all }: BundleSession, snapshotSeq: number): Replayed {
  const events = upToCrash(all, snapshotSeq)
  const ending = events.findLast(({ seq }) => seq > snapshotSeq)
  const error = ending?.kind === 'workflow_end' ? ending.error?.message : undefined
  const end = events.length < all.length ? 'the run came to where it was crashed' : 'the run completed'
  return { sessions: [{ events }], error, what: firstLine(error ?? end) }
}

const endingsOfLives: ReadonlySet<string> = new Set(['workflow_end', 'workflow_pause'])

/** Up to where the life that goes on from a snapshot, or one that took over from it in order, was crashed. */
function upToCrash(events: readonly WorkflowEvent[], snapshotSeq: number): readonly WorkflowEvent[] {
  const crashed = events.findIndex(
    ({ kind, seq }, index) =>
      kind === 'workflow_resume' &&
      seq > snapshotSeq + 1 &&
      !endingsOfLives.has(events[index - 1]?.kind ?? ''),
  )
  return crashed === -1 ? events : events.slice(0, crashed)
}

/** A run that had completed and does so again is no failure that is gone. */
export function judge(recorded: Replayed, replayed: Replayed, times: readonly Times[]): ReplayVerdict {
  if (replayed.strayed !== undefined) return { kind: 'diverged', what: replayed.strayed }
  if (replayed.error === undefined && recorded.error !== undefined) return { kind: 'passes' }
  const what = firstDifference(recorded, replayed, times)
  return what === undefined ? { kind: 'reproduced', what: replayed.what } : { kind: 'diverged', what }
}

/** `diverged at event 7 ...`, at a session, or at the end; undefined when both did the same. */
export function firstDifference(
  before: Replayed,
  after: Replayed,
  times: readonly Times[],
): string | undefined {
  for (let index = 0; index < Math.max(before.sessions.length, after.sessions.length); index++) {
    const [was, now] = [before.sessions[index], after.sessions[index]]
    if (now === undefined) return `diverged at session ${index + 1}: the replay opened no such session`
    if (was === undefined)
      return `diverged at session ${index + 1}: the replay opened one that was not recorded`
    const divergence = firstDivergence(was.events, now.events, { times: times[index] ?? 'drop' })
    if (divergence !== undefined) return describeDivergence(divergence)
  }
  if (before.error === after.error) return undefined
  return `diverged at the end: the error was ${quoted(before.error)}, now ${quoted(after.error)}`
}

export function firstLine(text: string): string {
  return text.split('\n')[0] ?? text
}

function quoted(error: string | undefined): string {
  return error === undefined ? 'none' : `'${firstLine(error)}'`
}
