import { assert, FaultlineError, messageOf } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { DigestPort, FileProgram } from '../../ports/index.ts'
import { encodeLine, eventFormatVersion } from '../../trace/index.ts'
import type { EventBody, EventEnvelope, WorkflowEvent } from '../../trace/index.ts'
import type { RunLayout } from './layout.ts'

/**
 * The writing end of a run's log. Events are numbered when they are noted and are true once `commit` has returned; the
 * first failed write poisons the log, because whatever followed it could leave a hole in the numbering.
 */
export class EventLog {
  readonly #layout: RunLayout
  readonly #digest: DigestPort
  readonly #identity: Pick<EventEnvelope, 'workflowId' | 'runId' | 'correlationId'>
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

  constructor(options: {
    readonly layout: RunLayout
    readonly digest: DigestPort
    readonly identity: Pick<EventEnvelope, 'workflowId' | 'runId' | 'correlationId'>
    readonly epoch: number
    /** Events that the log holds already, all durable. */
    readonly length: number
    readonly sizeBytes: number
  }) {
    this.#layout = options.layout
    this.#digest = options.digest
    this.#identity = options.identity
    this.#identityJson = JSON.stringify(options.identity).slice(1, -1)
    this.#epoch = options.epoch
    this.#nextSeq = options.length
    this.#durableSeq = options.length - 1
    this.#sizeBytes = options.sizeBytes
  }

  /** Grows with every commit; tells when the next snapshot is worth its bytes. */
  get sizeBytes(): number {
    return this.#sizeBytes
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
    const event: EventEnvelope & B = {
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
    const json =
      `{"v":${v},"seq":${seq},"epoch":${epoch},"durableSeq":${durableSeq},"at":${at},` +
      `${this.#identityJson},${JSON.stringify(body).slice(1)}`
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
      yield* perform({ op: 'append', path: this.#layout.log, data: text })
      yield* perform({ op: 'fsync', path: this.#layout.log })
    } catch (error) {
      throw this.poison(error)
    }
    this.#sizeBytes += text.length
    this.#durableSeq = (events.at(-1) as WorkflowEvent).seq
    return events
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
    this.#poison ??= new FaultlineError(
      'STORE_FAILED',
      `Writing the state of run '${this.#identity.runId}' failed (${messageOf(cause)}), so the run stopped. What was ` +
        `acknowledged before is on disk; mend the cause, then resume the run.`,
      { details: { runId: this.#identity.runId }, cause },
    )
    return this.#poison
  }
}
