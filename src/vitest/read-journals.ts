import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FaultPlan } from '../definition/index.ts'
import type { OpenedSession } from '../harness/index.ts'
import type { DiskAtCrash, LogEntry, WorkflowEvent } from '../trace/index.ts'
import type { JournalledTry, JournalLine, NotedCrash } from './journal.ts'
import { fingerprintOf, ownKey } from './secret-fingerprints.ts'
import type { NotedSecret } from './secret-fingerprints.ts'
import type { FaultlineSettings } from './settings.ts'
import type { MadeProject } from './test-bundle.ts'

/** What a worker has noted so far. */
export interface WorkerNotes {
  /** Name of its journal. */
  readonly journal: string
  readonly pid: number
  readonly settings: FaultlineSettings
  /** Names of variables whose secrets this process does not know. */
  readonly ownSecrets: readonly string[]
  /** Tries of tests that have begun and not ended. */
  readonly underWay: readonly NotedTry[]
  /** Bundles that its tests have left. */
  readonly bundles: readonly string[]
}

export interface NotedTry extends JournalledTry {
  readonly projects: readonly MadeProject[]
  readonly sessions: readonly NotedSession[]
}

export interface NotedSession {
  readonly runId: string
  readonly events: readonly WorkflowEvent[]
  readonly logs: readonly LogEntry[]
  /** Undefined when the worker died while the session began. */
  readonly opened: OpenedSession | undefined
  readonly resolvedPlan: FaultPlan | undefined
  readonly crashes: readonly DiskAtCrash[]
  /** What artifacts held that were replaced since, by digest and path. */
  readonly replaced: ReadonlyMap<string, Uint8Array>
}

/** A value that this process has not is one that it cannot look for. */
function isUnknownHere({ name, fingerprint }: NotedSecret): boolean {
  return fingerprintOf((process.env[name] ?? '').trim(), ownKey) !== fingerprint
}

export function readJournals(folder: string): readonly WorkerNotes[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder).flatMap((journal) => {
    const notes = readJournal(folder, journal)
    return notes === undefined ? [] : [notes]
  })
}

/** Undefined for a worker that died before its first line was whole, and for one that has ended meanwhile. */
export function readJournal(folder: string, journal: string): WorkerNotes | undefined {
  const [head, ...lines] = journalLines(join(folder, journal))
  if (head?.kind !== 'worker') return undefined
  const ends = lines.filter((line) => line.kind === 'end')
  const ended = new Set(ends.map(({ id }) => id))
  return {
    journal,
    pid: head.pid,
    settings: head.settings,
    ownSecrets: [
      ...head.secrets.filter(isUnknownHere).map(({ name }) => name),
      ...lines.flatMap((line) => (line.kind === 'secrets' ? line.names : [])),
    ],
    underWay: lines.flatMap((line) =>
      line.kind === 'try' && !ended.has(line.id)
        ? notedTry(
            line,
            lines.filter((other) => 'id' in other && other.id === line.id),
          )
        : [],
    ),
    bundles: ends.flatMap(({ bundle }) => bundle ?? []),
  }
}

type Line<Kind extends JournalLine['kind']> = Extract<JournalLine, { readonly kind: Kind }>

function notedTry(
  { identity, name, seed, correlationId }: JournalledTry,
  lines: readonly JournalLine[],
): NotedTry {
  const of = <Kind extends JournalLine['kind']>(kind: Kind): readonly Line<Kind>[] =>
    lines.filter((line): line is Line<Kind> => line.kind === kind)
  const events = of('event').map(({ event }) => event)
  const session = (runId: string): NotedSession => ({
    runId,
    events: events.filter((event) => event.runId === runId),
    logs: of('log').flatMap(({ entry }) => (entry.runId === runId ? [entry] : [])),
    opened: of('session').find((line) => line.runId === runId),
    crashes: of('crash').flatMap((line) => (line.runId === runId ? [crashOf(line)] : [])),
    replaced: new Map(
      of('replaced').flatMap((line) =>
        line.runId === runId ? [[`${line.sha256} ${line.path}`, bytesOf(line.base64)] as const] : [],
      ),
    ),
    resolvedPlan: of('fired').findLast((line) => line.runId === runId)?.resolved,
  })
  return {
    identity,
    name,
    seed,
    correlationId,
    projects: of('project').map(({ folder, template }) => ({ folder, template })),
    sessions: [...new Set(events.map(({ runId }) => runId))].map(session),
  }
}

function crashOf({ incarnation, seq, outcome, durable, unsynced }: NotedCrash): DiskAtCrash {
  const content = (base64: string | null): Uint8Array | null => (base64 === null ? null : bytesOf(base64))
  return {
    incarnation,
    seq,
    outcome,
    durable,
    unsynced: unsynced.map((file) => ({
      path: file.path,
      written: content(file.written),
      durable: content(file.durable),
      left: content(file.left),
    })),
  }
}

function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'))
}

function journalLines(path: string): readonly JournalLine[] {
  return readIfThere(path)
    .split('\n')
    .flatMap((line) => journalLine(line) ?? [])
}

/** A worker that was killed leaves the line that it was writing cut short, or the rest of one that it was wiping out. */
function journalLine(line: string): JournalLine | undefined {
  if (line === '') return undefined
  try {
    return JSON.parse(line) as JournalLine
  } catch {
    return undefined
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
