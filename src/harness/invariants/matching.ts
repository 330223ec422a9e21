import { encodeUtf8 } from '../../core/index.ts'
import { sameBytes } from './byte-comparison.ts'

/** Bytes that are held against what they should say, piece by piece. */
export class Matching {
  readonly #bytes: Uint8Array
  #at = 0
  #hasFailed = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  takeText(text: string): void {
    const piece = encodeUtf8(text)
    const end = this.#at + piece.length
    this.#hasFailed ||= !sameBytes(this.#bytes.subarray(this.#at, end), piece)
    this.#at = end
  }

  /** Some text, and then a number without sign or fraction. */
  takeNumberAfter(text: string): void {
    this.takeText(text)
    const from = this.#at
    while (isDigit(this.#bytes[this.#at])) this.#at++
    const length = this.#at - from
    this.#hasFailed ||= length === 0 || (length > 1 && this.#bytes[from] === zero)
  }

  get hasFailed(): boolean {
    return this.#hasFailed
  }

  /** Whether all of the bytes said what they should. */
  get isOver(): boolean {
    return !this.#hasFailed && this.#at === this.#bytes.length
  }
}

const zero = 0x30
const nine = 0x39

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= zero && byte <= nine
}
