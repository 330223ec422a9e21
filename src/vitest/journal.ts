import { randomUUID } from 'node:crypto'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createDigest } from '../adapters/node/index.ts'
import type { Redactor } from '../bundle/index.ts'
import type { FaultPlan } from '../definition/index.ts'
import type { OpenedSession, SessionObserver, WorkflowSession, WrittenContents } from '../harness/index.ts'
import { artifactVersions } from '../trace/index.ts'
import type { DiskAtCrash, LogEntry, UnsyncedFile, WorkflowEvent } from '../trace/index.ts'
import type { TestIdentity } from './compatibility.ts'
import type { JournalRedactor } from './redactor.ts'
import type { NotedSecret } from './secret-fingerprints.ts'
import type { FaultlineSettings } from './settings.ts'
import type { MadeProject } from './test-bundle.ts'

/** One line of a journal. An empty one is a sign of life. */
export type JournalLine =
  | {
      readonly kind: 'worker'
      readonly pid: number
      readonly settings: FaultlineSettings
      /** Variables that hold secrets. */
      readonly secrets: readonly NotedSecret[]
    }
  /** Those whose secrets came later. */
  | { readonly kind: 'secrets'; readonly names: readonly string[] }
  | ({ readonly kind: 'try'; readonly id: number } & JournalledTry)
  | ({ readonly kind: 'project'; readonly id: number } & MadeProject)
  | { readonly kind: 'event'; readonly id: number; readonly event: WorkflowEvent }
  | { readonly kind: 'log'; readonly id: number; readonly entry: LogEntry }
  | ({ readonly kind: 'session'; readonly id: number; readonly runId: string } & OpenedSession)
  | { readonly kind: 'fired'; readonly id: number; readonly runId: string; readonly resolved: FaultPlan }
  | ({ readonly kind: 'crash'; readonly id: number; readonly runId: string } & NotedCrash)
  /** What an artifact held before it was replaced, in base64; `sha256` as the events have it. */
  | {
      readonly kind: 'replaced'
      readonly id: number
      readonly runId: string
      readonly path: string
      readonly sha256: string
      readonly base64: string
    }
  /** `bundle`: the folder of the one it left, if it left any. */
  | { readonly kind: 'end'; readonly id: number; readonly bundle: string | null }

/** What a crash has met, with contents in base64. */
export interface NotedCrash extends Omit<DiskAtCrash, 'unsynced'> {
  readonly unsynced: readonly NotedFile[]
}

export interface NotedFile extends Record<'written' | 'durable' | 'left', string | null> {
  readonly path: string
}

export interface JournalledTry {
  readonly identity: TestIdentity
  /** What tells the test from every other of the run. */
  readonly name: string
  readonly seed: number | string
  readonly correlationId: string
}

/** The journal of one try of a test. Late calls, from code that outlives its test, are not noted. */
export interface TryJournal extends SessionObserver {
  /** The full name of the test, as it may stand on a disk. */
  readonly fullName: string
  project(made: MadeProject): void
  end(bundle: string | null): void
}

/**
 * What a worker notes of the tests under way, so that the main process can make their bundles when the worker dies. It lies in
 * the temporary folder of the run, as the projects do, and is not synced: it is to survive the process, not the machine. Secrets
 * do not get into it.
 */
export interface Journal {
  begin(started: JournalledTry): TryJournal
  close(): void
}

// As they are when this module is loaded: a test may put fake timers in their place.
const { setInterval: realSetInterval, clearInterval: realClearInterval } = globalThis

/** How often a worker with tests under way gives a sign of life. */
const beatMs = 1_000

const opened = new Map<string, Journal>()

/**
 * The journal of this worker; undefined where nobody would read it.
 *
 * @param key By which the main process knows its own secrets again.
 */
export async function workerJournal(settings: FaultlineSettings, key?: string): Promise<Journal | undefined> {
  const { journals } = settings
  if (journals === null) return undefined
  return opened.get(journals) ?? openJournal(journals, settings, key)
}

async function openJournal(journals: string, settings: FaultlineSettings, key?: string): Promise<Journal> {
  const { secretsOnly } = await import('./redactor.ts')
  // Tests that begin side by side share one.
  const journal = opened.get(journals) ?? createJournal(journals, settings, secretsOnly(settings, key))
  opened.set(journals, journal)
  return journal
}

/** At the end of a test file: the next one may run in another worker. */
export function closeJournals(): void {
  for (const journal of opened.values()) journal.close()
  opened.clear()
}

export function createJournal(folder: string, settings: FaultlineSettings, redact: JournalRedactor): Journal {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${process.pid}-${randomUUID()}.jsonl`)
  const file = openSync(path, 'wx')
  let size = 0
  const underWay = new Set<number>()
  let tries = 0
  let hasBundles = false

  const append = (line: JournalLine | ''): void => {
    size += writeSync(file, line === '' ? '\n' : `${JSON.stringify(line)}\n`, size)
  }
  const first = redact.look()
  append({ kind: 'worker', pid: process.pid, settings, secrets: first })
  const headerSize = size
  /** Over everything but the header: wiping out costs a third of cutting off, and every test pays it. */
  const forgetNotes = (): void => {
    writeSync(file, '\n'.repeat(size - headerSize), headerSize)
    size = headerSize
  }
  let secrets = first
  const tellSecrets = (): void => {
    const names = secrets.slice(first.length).map(({ name }) => name)
    if (names.length > 0) append({ kind: 'secrets', names })
  }
  /** Not when a test begins: its names are as old as the journal. */
  const lookForSecrets = (): void => {
    const now = redact.look()
    if (now === secrets) return
    secrets = now
    tellSecrets()
  }
  const beat = realSetInterval(() => {
    if (underWay.size > 0) append('')
  }, beatMs).unref()

  const end = (id: number, bundle: string | null): void => {
    underWay.delete(id)
    hasBundles ||= bundle !== null
    // A journal that holds a bundle stays as it is: failures are few.
    if (hasBundles || underWay.size > 0) append({ kind: 'end', id, bundle })
    else {
      forgetNotes()
      tellSecrets()
    }
  }

  return {
    begin(started) {
      const id = ++tries
      underWay.add(id)
      const named = withoutSecrets(started, redact)
      append({ kind: 'try', id, ...named })
      const noteAsItIs = (line: JournalLine): void => {
        if (underWay.has(id)) append(line)
      }
      const note = (line: JournalLine): void => {
        lookForSecrets()
        noteAsItIs(redact.json(line))
      }
      const base64 = (bytes: Uint8Array): string => Buffer.from(redact.bytes(bytes)).toString('base64')
      const replaced = replacedContents((runId, path, sha256, bytes) =>
        noteAsItIs({
          kind: 'replaced',
          id,
          runId,
          path: redact.text(path),
          sha256,
          base64: base64(bytes),
        }),
      )
      const fired = firedFaults((runId, resolved) => note({ kind: 'fired', id, runId, resolved }))
      return {
        fullName: named.identity.fullName,
        // Where it lies is asked for when the worker has died.
        project: (made) => noteAsItIs({ kind: 'project', id, ...made }),
        event(event) {
          note({ kind: 'event', id, event })
          fired.look(event.runId)
          replaced.look(event)
        },
        log: (entry) => note({ kind: 'log', id, entry }),
        opened(session, how, disk) {
          note({ kind: 'session', id, runId: session.runId, ...how })
          replaced.follow(session.runId, disk)
          if (how.plan.faults.length > 0) fired.follow(session)
        },
        crashed(runId, crash) {
          lookForSecrets()
          noteAsItIs({ kind: 'crash', id, runId, ...notedCrash(crash, redact, base64) })
        },
        end: (bundle) => end(id, bundle),
      }
    },
    close() {
      realClearInterval(beat)
      closeSync(file)
      if (underWay.size === 0 && !hasBundles) rmSync(path, { force: true })
    },
  }
}

/** Names are all that can hold one. */
function withoutSecrets(started: JournalledTry, redact: Pick<Redactor, 'text'>): JournalledTry {
  const { identity, name } = started
  const { file, fullName } = identity
  return {
    ...started,
    identity: { ...identity, file: redact.text(file), fullName: redact.text(fullName) },
    name: redact.text(name),
  }
}

/** Tells of the faults that have fired whenever there are more of them. */
function firedFaults(tell: (runId: string, resolved: FaultPlan) => void): {
  follow(session: WorkflowSession): void
  look(runId: string): void
} {
  const sessions = new Map<string, { readonly session: WorkflowSession; told: number }>()
  return {
    follow: (session) => sessions.set(session.runId, { session, told: 0 }),
    look(runId) {
      const followed = sessions.get(runId)
      if (followed === undefined) return
      const { resolved } = followed.session.faults
      if (resolved.faults.length === followed.told) return
      followed.told = resolved.faults.length
      tell(runId, resolved)
    },
  }
}

/** An artifact of so many bytes is not noted: what its tests do must not wait for their notes. */
const mostReplacedBytes = 1024 * 1024

/** Tells what an artifact held, once another content has taken its place. */
function replacedContents(tell: (runId: string, path: string, sha256: string, bytes: Uint8Array) => void): {
  follow(runId: string, disk: WrittenContents): void
  look(event: WorkflowEvent): void
} {
  const disks = new Map<string, WrittenContents>()
  const newest = new Map<string, string>()
  const { sha256: digest } = createDigest()
  return {
    follow: (runId, disk) => disks.set(runId, disk),
    look(event) {
      for (const { path, sha256 } of artifactVersions([event])) {
        const name = `${event.runId} ${path}`
        const before = newest.get(name)
        newest.set(name, sha256)
        if (before === undefined || before === sha256) continue
        const bytes = disks
          .get(event.runId)
          ?.contents(path)
          .findLast((content) => digest(content) === before)
        if (bytes !== undefined && bytes.length <= mostReplacedBytes) tell(event.runId, path, before, bytes)
      }
    },
  }
}

function notedCrash(
  { unsynced, durable, ...crash }: DiskAtCrash,
  redact: Pick<Redactor, 'text'>,
  base64: (bytes: Uint8Array) => string,
): NotedCrash {
  const content = (bytes: Uint8Array | null): string | null => (bytes === null ? null : base64(bytes))
  return {
    ...crash,
    durable: durable.map((file) => ({ ...file, path: redact.text(file.path) })),
    unsynced: unsynced.map(({ path, written, durable: safe, left }: UnsyncedFile) => ({
      path: redact.text(path),
      written: content(written),
      durable: content(safe),
      left: content(left),
    })),
  }
}
