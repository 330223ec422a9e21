/** Two lanes of 32 bits. Tells states apart, and is no protection against somebody who wants two to look alike. */
export interface StreamHash {
  readonly first: number
  readonly second: number
}

/** Hashes bytes, words and names one after the other; can go on from where another one stopped. */
export class StreamHasher implements StreamHash {
  first: number
  second: number

  constructor({ first, second }: StreamHash = { first: 0x2f0b4c47, second: 0x6a09e667 }) {
    this.first = first
    this.second = second
  }

  bytes(bytes: Uint8Array): this {
    for (const byte of bytes) this.word(byte)
    return this
  }

  name(name: string): this {
    this.word(name.length)
    for (let index = 0; index < name.length; index++) this.word(name.charCodeAt(index))
    return this
  }

  hash({ first, second }: StreamHash): this {
    this.word(first)
    this.word(second)
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

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0')
}
