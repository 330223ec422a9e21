import { assert, FaultlineError, isSystemError, messageOf } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { DigestPort, FileProgram } from '../../ports/index.ts'
import { encodeLine, eventFormatVersion } from '../../trace/index.ts'
import type { EventBody, EventEnvelope, WorkflowEvent } from '../../trace/index.ts'
import { BlobStore, defaultOutputCapBytes } from './blobs.ts'
import type { RunLayout } from './layout.ts'

type RunIdentity = Pick<EventEnvelope, 'workflowId' | 'runId' | 'correlationId'>

export interface EventLogOptions {
  readonly layout: RunLayout
  readonly digest: DigestPort
  readonly identity: RunIdentity
  readonly epoch: number
  /** Events that the log holds already, all durable. */
  readonly length: number
  readonly sizeBytes: number
  readonly outputCapBytes?: number | undefined
  /** Digests of the blobs that the log names already. */
  readonly blobs?: Iterable<string>
  /** Folders that this life has made durable, or seen that they are. */
  readonly durableFolders: Set<string>
}

/**
 * The writing end of a run's log. Events are numbered when they are noted and are true once `commit` has returned; the
 * first failed write poisons the log, because whatever followed it could leave a hole in the numbering.
 */
export class EventLog {
  readonly #options: EventLogOptions
  readonly #layout: RunLayout
  readonly #digest: DigestPort
  readonly #blobs: BlobStore
  readonly #identity: RunIdentity
  /** The same as members of a JSON object: they stand in every line. */
  readonly #identityJson: string
  readonly #epoch: number
  #nextSeq: number
  #durableSeq: number
  #sizeBytes: number
  #pending: WorkflowEvent[] = []
  /** The JSON text of the event noted last. */
  #lastJson = ''
  /** The lines of what is pending. */
  #text = ''
  #poison: FaultlineError | undefined

  constructor(options: EventLogOptions, identityJson = JSON.stringify(options.identity).slice(1, -1)) {
    this.#options = options
    this.#layout = options.layout
    this.#digest = options.digest
    this.#blobs = new BlobStore(
      options.layout.blobs,
      options.digest,
      options.outputCapBytes ?? defaultOutputCapBytes,
      options.blobs ?? [],
      options.durableFolders,
    )
    this.#identity = options.identity
    this.#identityJson = identityJson
    this.#epoch = options.epoch
    this.#nextSeq = options.length
    this.#durableSeq = options.length - 1
    this.#sizeBytes = options.sizeBytes
  }

  /** Grows with every commit; tells when the next snapshot is worth its bytes. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** The log as it is now, for other lives to write on: each over its own files, all of it durable there. */
  fork(): (digest: DigestPort, durableFolders: Set<string>) => EventLog {
    assert(this.#pending.length === 0, 'nothing is pending when a log is forked')
    const { layout, identity, epoch, outputCapBytes } = this.#options
    const [length, sizeBytes, blobs] = [this.#nextSeq, this.#sizeBytes, this.#blobs.named]
    const identityJson = this.#identityJson
    return (digest, durableFolders) =>
      new EventLog(
        { layout, digest, identity, epoch, length, sizeBytes, outputCapBytes, blobs, durableFolders },
        identityJson,
      )
  }

  /** @throws FaultlineError `STORE_FAILED` once a write has failed. */
  assertUsable(): void {
    if (this.#poison !== undefined) throw this.#poison
  }

  /** Numbers an event and queues it for the next commit. */
  note<B extends EventBody>(at: number, body: B): EventEnvelope & B {
    this.assertUsable()
    const { workflowId, runId, correlationId } = this.#identity
    const seq = this.#nextSeq++
    const epoch = this.#epoch
    const durableSeq = this.#durableSeq
    const v = eventFormatVersion
    let event: EventEnvelope & B = {
      v,
      seq,
      epoch,
      durableSeq,
      at,
      workflowId,
      runId,
      correlationId,
      ...body,
    }
    let bodyJson = JSON.stringify(body)
    if ('output' in body && !this.#blobs.surelyFits(bodyJson)) {
      const outputBlob = this.#blobs.take(body.output)
      if (outputBlob !== undefined) {
        bodyJson = JSON.stringify({ ...body, output: undefined, outputBlob })
        event = { ...event, outputBlob }
      }
    }
    const json =
      `{"v":${v},"seq":${seq},"epoch":${epoch},"durableSeq":${durableSeq},"at":${at},` +
      `${this.#identityJson},${bodyJson.slice(1)}`
    this.#lastJson = json
    this.#text += encodeLine(json, this.#digest.crc32)
    this.#pending.push(event)
    return event
  }

  /** SHA-256 of the JSON text of the event noted last. */
  lastSha256(): string {
    return this.#digest.sha256(this.#lastJson)
  }

  /** Appends what was noted in one write and makes it durable. Hands back the events that are now true. */
  *commit(): FileProgram<readonly WorkflowEvent[]> {
    const { events, text } = this.takePending()
    if (events.length === 0) return events
    try {
      yield* this.#blobs.settle()
      yield* perform({ op: 'append', path: this.#layout.log, data: text })
      yield* perform({ op: 'fsync', path: this.#layout.log })
    } catch (error) {
      throw this.poison(error)
    }
    this.#sizeBytes += text.length
    this.#durableSeq = (events.at(-1) as WorkflowEvent).seq
    return events
  }

  /** Makes the blobs durable that the noted events name. `commit` does it by itself. */
  settleBlobs(): FileProgram<void> {
    return this.#blobs.settle()
  }

  /** Removes blobs that no event names. */
  sweepBlobs(): FileProgram<void> {
    return this.#blobs.sweep()
  }

  /** Takes what was noted without writing it: for recovery, which puts the lines into the rewritten log. */
  takePending(): { readonly events: readonly WorkflowEvent[]; readonly text: string } {
    const taken = { events: this.#pending, text: this.#text }
    this.#pending = []
    this.#text = ''
    return taken
  }

  /** States that all noted events are durable although `commit` did not write them. */
  assumeDurable(sizeBytes: number): void {
    assert(this.#pending.length === 0, 'nothing is pending when the log is declared durable')
    this.#durableSeq = this.#nextSeq - 1
    this.#sizeBytes = sizeBytes
  }

  /** Refuses every later write. */
  poison(cause: unknown): FaultlineError {
    const { runId } = this.#identity
    const file = isSystemError(cause) ? (cause.dest ?? cause.path) : undefined
    this.#poison ??= new FaultlineError(
      'STORE_FAILED',
      `Writing ${written(file)} of run '${runId}' failed (${messageOf(cause)}), so the run stopped. What was acknowledged before is ` +
        `on disk; mend the cause, then resume the run.`,
      { details: { runId, ...(file === undefined ? {} : { file }) }, cause },
    )
    return this.#poison
  }
}

function written(file: string | undefined): string {
  if (file === undefined) return 'the state'
  return file === '' ? `the project's folder` : `'${file}'`
}
