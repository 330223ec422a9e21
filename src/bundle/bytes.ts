const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** The text that bytes are, or undefined when they are not UTF-8. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    return undefined
  }
}

/** Replaces every occurrence of a text in bytes that are not text; answers the same bytes when there is none. */
export function replaceBytes(bytes: Uint8Array, wanted: string, replacement: () => string): Uint8Array {
  const pattern = encoder.encode(wanted)
  const pieces: Uint8Array[] = []
  let from = 0
  for (let at = indexOf(bytes, pattern, 0); at >= 0; at = indexOf(bytes, pattern, from)) {
    pieces.push(bytes.subarray(from, at), encoder.encode(replacement()))
    from = at + pattern.length
  }
  return pieces.length === 0 ? bytes : concatenated([...pieces, bytes.subarray(from)])
}

function indexOf(bytes: Uint8Array, pattern: Uint8Array, from: number): number {
  const first = pattern[0] as number
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (pattern.every((byte, index) => bytes[at + index] === byte)) return at
  }
  return -1
}

function concatenated(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
