export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && Buffer.compare(left, right) === 0
}

/** Where a text stands first; -1 if nowhere. */
export function indexOfText({ buffer, byteOffset, length }: Uint8Array, text: string): number {
  return Buffer.from(buffer, byteOffset, length).indexOf(text)
}
