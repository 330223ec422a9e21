import { assert, FaultlineError, messageOf } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { DigestPort, FileProgram } from '../../ports/index.ts'
import { encodeEvent, eventFormatVersion } from '../../trace/index.ts'
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
  readonly #epoch: number
  #nextSeq: number
  #durableSeq: number
  #sizeBytes: number
  #pending: WorkflowEvent[] = []
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
    const event: EventEnvelope & B = {
      v: eventFormatVersion,
      seq: this.#nextSeq++,
      epoch: this.#epoch,
      durableSeq: this.#durableSeq,
      at,
      ...this.#identity,
      ...body,
    }
    this.#pending.push(event)
    return event
  }

  /** Appends what was noted in one write and makes it durable. Hands back the events that are now true. */
  *commit(): FileProgram<readonly WorkflowEvent[]> {
    const events = this.#pending
    if (events.length === 0) return events
    this.#pending = []
    const text = this.encode(events)
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

  /** Takes what was noted without writing it: for recovery, which puts it into the rewritten log. */
  takePending(): readonly WorkflowEvent[] {
    const events = this.#pending
    this.#pending = []
    return events
  }

  /** States that all noted events are durable although `commit` did not write them. */
  assumeDurable(sizeBytes: number): void {
    assert(this.#pending.length === 0, 'nothing is pending when the log is declared durable')
    this.#durableSeq = this.#nextSeq - 1
    this.#sizeBytes = sizeBytes
  }

  encode(events: readonly WorkflowEvent[]): string {
    let text = ''
    for (const event of events) text += encodeEvent(event, this.#digest.crc32)
    return text
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
