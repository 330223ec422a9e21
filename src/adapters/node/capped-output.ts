/** What a program prints, up to a size: of more than that its beginning and its end. */
export class CappedOutput {
  readonly #half: number
  readonly #head: Uint8Array[] = []
  #headBytes = 0
  #tail: Uint8Array[] = []
  #tailBytes = 0
  #leftOut = 0

  constructor(capBytes: number) {
    this.#half = Math.ceil(capBytes / 2)
  }

  add(chunk: Uint8Array): void {
    const room = this.#half - this.#headBytes
    if (room > 0) {
      const first = chunk.subarray(0, room)
      this.#head.push(first)
      this.#headBytes += first.length
    }
    const rest = chunk.subarray(Math.max(0, room))
    if (rest.length === 0) return
    this.#tail.push(rest)
    this.#tailBytes += rest.length
    // Only now and then: to cut at every chunk would copy the tail each time.
    if (this.#tailBytes > 4 * this.#half) this.#cut()
  }

  text(): string {
    this.#cut()
    const head = Buffer.concat(this.#head)
    const tail = Buffer.concat(this.#tail)
    if (this.#leftOut === 0) return Buffer.concat([head, tail]).toString('utf8')
    const start = new TextDecoder().decode(head, { stream: true })
    return `${start}\n[... ${this.#leftOut} bytes left out ...]\n${fromWholeCharacter(tail).toString('utf8')}`
  }

  #cut(): void {
    const tooMany = this.#tailBytes - this.#half
    if (tooMany <= 0) return
    this.#tail = [Buffer.from(Buffer.concat(this.#tail).subarray(tooMany))]
    this.#tailBytes = this.#half
    this.#leftOut += tooMany
  }
}

/** Without the rest of a character whose beginning was left out. */
function fromWholeCharacter(bytes: Buffer): Buffer {
  let start = 0
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++
  return bytes.subarray(start)
}
