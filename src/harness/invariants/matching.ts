import { encodeUtf8 } from '../../core/index.ts'
import { sameBytes } from './byte-comparison.ts'

/** Bytes that are held against what they should say, piece by piece. */
export class Matching {
  readonly #bytes: Uint8Array
  #at = 0
  /** What should come next: small pieces are held against the bytes together. */
  #due = ''
  #hasFailed = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  takeText(text: string): void {
    this.#due += text
  }

  take(piece: Uint8Array): void {
    if (this.#due !== '') this.#takeDue()
    const end = this.#at + piece.length
    this.#hasFailed ||= !sameBytes(this.#bytes.subarray(this.#at, end), piece)
    this.#at = end
  }

  /** A number without sign or fraction. */
  takeNumber(): void {
    this.#takeDue()
    const from = this.#at
    while (isDigit(this.#bytes[this.#at])) this.#at++
    const length = this.#at - from
    this.#hasFailed ||= length === 0 || (length > 1 && this.#bytes[from] === zero)
  }

  #takeDue(): void {
    const due = encodeUtf8(this.#due)
    this.#due = ''
    this.take(due)
  }

  /** Whether something was not as it should be, as far as this is known yet. */
  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** Whether all of the bytes said what they should. */
  isOver(): boolean {
    this.#takeDue()
    return !this.#hasFailed && this.#at === this.#bytes.length
  }
}

const zero = 0x30
const nine = 0x39

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= nine
}
