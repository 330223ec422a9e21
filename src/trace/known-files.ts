import { bytesEqual, commonLength } from '../core/index.ts'
import type { WorkflowEvent } from './events.ts'
import type { DecodedState, LastPointer } from './state-document.ts'

/**
 * What files of runs said when they were read last, for who takes the same run up thousands of times: the same bytes say the
 * same. The bytes kept are copies, which nobody else can write to.
 */
export class KnownFiles {
  readonly log = new KnownLog()
  readonly states = new KnownContents<DecodedState>()
  readonly pointers = new KnownContents<LastPointer | undefined>()
}

/** The valid prefix of the log that was read last: one that begins alike is to be read only from where it differs. */
export class KnownLog {
  #bytes = new Uint8Array(0)
  /** Where the line of each event ends. */
  readonly #ends: number[] = []
  readonly #events: WorkflowEvent[] = []

  /** Nobody changes an event. */
  get events(): readonly WorkflowEvent[] {
    return this.#events
  }

  get sizeBytes(): number {
    return this.#ends.at(-1) ?? 0
  }

  /** Forgets all but the whole lines with which a log begins just like this one. */
  keepBeginningOf(bytes: Uint8Array): void {
    const same = commonLength(this.#bytes.subarray(0, this.sizeBytes), bytes)
    while (this.sizeBytes > same) {
      this.#ends.pop()
      this.#events.pop()
    }
  }

  /** Adds the line that follows, which is intact. */
  add(event: WorkflowEvent, line: Uint8Array): void {
    const start = this.sizeBytes
    const end = start + line.length
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes.set(line, start)
    this.#ends.push(end)
    this.#events.push(event)
  }
}

/** Runs that are forked from one another hold one of so few. */
const keptContents = 4

/** What the last few different contents of a file say. */
export class KnownContents<T> {
  #known: readonly { readonly bytes: Uint8Array; readonly says: T }[] = []

  /** What the content says, read if it is not among the known ones. */
  read(bytes: Uint8Array, read: () => T): T {
    const known = this.#known.find((one) => bytesEqual(one.bytes, bytes))
    if (known !== undefined && known === this.#known[0]) return known.says
    const newest = known ?? { bytes: new Uint8Array(bytes), says: read() }
    this.#known = [newest, ...this.#known.filter((one) => one !== known)].slice(0, keptContents)
    return newest.says
  }
}
