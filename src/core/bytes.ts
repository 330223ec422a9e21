export function bytesEqual(left: Uint8Array, right: Uint8Array): boolean {
  if (left === right) return true
  if (left.length !== right.length) return false
  const wholeWords = left.byteOffset % 4 === 0 && right.byteOffset % 4 === 0 ? left.length >>> 2 : 0
  const leftWords = wordsOf(left, wholeWords)
  const rightWords = wordsOf(right, wholeWords)
  for (let index = 0; index < wholeWords; index++) if (leftWords[index] !== rightWords[index]) return false
  for (let index = wholeWords * 4; index < left.length; index++)
    if (left[index] !== right[index]) return false
  return true
}

function wordsOf({ buffer, byteOffset }: Uint8Array, count: number): Uint32Array {
  return new Uint32Array(buffer, count === 0 ? 0 : byteOffset, count)
}
