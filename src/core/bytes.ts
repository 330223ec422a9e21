export function bytesEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left === right || (left.length === right.length && commonLength(left, right) === left.length)
}

/** With how many bytes both begin. */
export function commonLength(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length)
  const wholeWords = left.byteOffset % 8 === 0 && right.byteOffset % 8 === 0 ? length >>> 3 : 0
  const leftWords = wordsOf(left, wholeWords)
  const rightWords = wordsOf(right, wholeWords)
  let word = 0
  while (word < wholeWords && leftWords[word] === rightWords[word]) word++
  let index = word * 8
  while (index < length && left[index] === right[index]) index++
  return index
}

/** Of 64 bits: comparing a file costs a third of what it does by 32 of them. */
function wordsOf({ buffer, byteOffset }: Uint8Array, count: number): BigUint64Array {
  return new BigUint64Array(buffer, count === 0 ? 0 : byteOffset, count)
}
