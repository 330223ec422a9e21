/**
 * Two lanes of 32 bits, and the bytes that do not yet fill a word. Tells states apart, and is no protection against somebody who
 * wants two to look alike.
 */
export interface StreamHash {
  readonly first: number
  readonly second: number
  /** Up to three bytes, the first one lowest. */
  readonly open: number
  readonly openBytes: number
}

/** Hashes bytes, words and names one after the other; can go on from where another one stopped. */
export class StreamHasher implements StreamHash {
  first: number
  second: number
  open: number
  openBytes: number

  constructor({ first, second, open, openBytes }: StreamHash = start) {
    this.first = first
    this.second = second
    this.open = open
    this.openBytes = openBytes
  }

  /** The same for the same bytes, however they come in pieces. */
  bytes(bytes: Uint8Array): this {
    let index = 0
    while (this.openBytes !== 0 && index < bytes.length) this.#byte(bytes[index++] as number)
    for (; index + 4 <= bytes.length; index += 4) {
      this.word(
        (bytes[index] as number) |
          ((bytes[index + 1] as number) << 8) |
          ((bytes[index + 2] as number) << 16) |
          ((bytes[index + 3] as number) << 24),
      )
    }
    while (index < bytes.length) this.#byte(bytes[index++] as number)
    return this
  }

  #byte(byte: number): void {
    this.open |= byte << (this.openBytes * 8)
    this.openBytes = (this.openBytes + 1) % 4
    if (this.openBytes !== 0) return
    this.word(this.open)
    this.open = 0
  }

  name(name: string): this {
    this.word(name.length)
    for (let index = 0; index < name.length; index++) this.word(name.charCodeAt(index))
    return this
  }

  hash({ first, second, open, openBytes }: StreamHash): this {
    this.word(first)
    this.word(second)
    this.word(open)
    this.word(openBytes)
    return this
  }

  word(word: number): void {
    const first = Math.imul(this.first ^ word, 0x9e3779b1)
    this.first = (first << 13) | (first >>> 19)
    const second = Math.imul(this.second ^ word, 0x5f356495)
    this.second = (second << 15) | (second >>> 17)
  }

  toString(): string {
    return hex(this.first) + hex(this.second)
  }
}

const start: StreamHash = { first: 0x2f0b4c47, second: 0x6a09e667, open: 0, openBytes: 0 }

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0')
}
