import { decodeStrictUtf8, encodeUtf8, joinPath } from '../../core/index.ts'
import type { JsonValue } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { DigestPort, FileProgram } from '../../ports/index.ts'
import type { BlobReference, StepOutput, WorkflowEvent } from '../../trace/index.ts'
import { corrupt } from './corrupt.ts'
import { ensureFolder, replaceFile } from './durable-file.ts'

/** Largest output, as JSON, that an event holds itself. */
export const defaultOutputCapBytes = 64 * 1024

/** UTF-8 needs at most so many bytes for a unit of a JavaScript string. */
const bytesPerUnit = 3

/**
 * The writing end of a run's outputs that are too large for the log: one file per content, named by its SHA-256. A file is
 * trusted if an event names it, and only then; what no event names is left over from a crash.
 */
export class BlobStore {
  readonly #folder: string
  readonly #digest: DigestPort
  readonly #capBytes: number
  /** Digests of the files that are durable and named, or are about to be. */
  readonly #known: Set<string>
  readonly #durableFolders: Set<string>
  #pending = new Map<string, string>()

  constructor(
    folder: string,
    digest: DigestPort,
    capBytes: number,
    known: Iterable<string>,
    durableFolders: Set<string>,
  ) {
    this.#folder = folder
    this.#durableFolders = durableFolders
    this.#digest = digest
    this.#capBytes = capBytes
    this.#known = new Set(known)
  }

  /** Digests of the blobs that are durable and named, as they are now. */
  get named(): ReadonlySet<string> {
    return new Set(this.#known)
  }

  /** Whether a text that contains the JSON of an output is so short that the output surely fits. */
  surelyFits(json: string): boolean {
    return json.length * bytesPerUnit <= this.#capBytes
  }

  /** Queues an output that is too large for an event; undefined for one that fits. */
  take(output: JsonValue): BlobReference | undefined {
    const text = JSON.stringify(output)
    const sizeBytes = encodeUtf8(text).length
    if (sizeBytes <= this.#capBytes) return undefined
    const sha256 = this.#digest.sha256(text)
    if (!this.#known.has(sha256)) this.#pending.set(sha256, text)
    return { sha256, sizeBytes }
  }

  /** Makes what was queued durable: before the events that name it. */
  *settle(): FileProgram<void> {
    if (this.#pending.size === 0) return
    yield* ensureFolder(this.#folder, this.#durableFolders)
    for (const [sha256, text] of this.#pending) {
      yield* replaceFile(joinPath(this.#folder, sha256), text)
      this.#known.add(sha256)
    }
    this.#pending = new Map()
  }

  /** Removes what no event names. */
  *sweep(): FileProgram<void> {
    for (const path of yield* orphanedBlobs(this.#folder, this.#known)) yield* perform({ op: 'remove', path })
  }
}

/** Digests of the blobs that events name. */
export function referencedBlobs(events: readonly WorkflowEvent[]): ReadonlySet<string> {
  const referenced = new Set<string>()
  for (const event of events) {
    const blob = blobOf(event)
    if (blob !== undefined) referenced.add(blob.sha256)
  }
  return referenced
}

/** Files in the folder of blobs that are none of the given ones. */
export function* orphanedBlobs(
  folder: string,
  referenced: ReadonlySet<string>,
): FileProgram<readonly string[]> {
  const entries = (yield* perform({ op: 'list', path: folder })) ?? []
  return entries.filter(({ name }) => !referenced.has(name)).map(({ name }) => joinPath(folder, name))
}

/**
 * Puts the outputs that lie in blobs into their events, each verified by its digest.
 *
 * @throws FaultlineError `STATE_CORRUPT` naming the blob and the event.
 */
export function* loadOutputs(
  folder: string,
  events: readonly WorkflowEvent[],
  digest: DigestPort,
): FileProgram<readonly WorkflowEvent[]> {
  const outputs = new Map<string, JsonValue>()
  for (const event of events) {
    const blob = blobOf(event)
    if (blob === undefined) continue
    const { sha256 } = blob
    if (outputs.has(sha256)) continue
    const file = joinPath(folder, sha256)
    const bytes = yield* perform({ op: 'read', path: file })
    if (bytes === undefined || digest.sha256(bytes) !== sha256) {
      const what = `it ${bytes === undefined ? 'is missing' : 'does not match its digest'}, and event ${event.seq} names it`
      throw corrupt(file, what, { line: event.seq + 1, seq: event.seq })
    }
    outputs.set(sha256, JSON.parse(decodeStrictUtf8(bytes)) as JsonValue)
  }
  return events.map((event) => {
    const blob = blobOf(event)
    return blob === undefined
      ? event
      : ({ ...event, output: outputs.get(blob.sha256) as JsonValue } as WorkflowEvent)
  })
}

/** Read without asking whether it is there, which takes ten times as long in events of so many kinds. */
function blobOf(event: WorkflowEvent): BlobReference | undefined {
  return (event as Partial<StepOutput>).outputBlob
}
