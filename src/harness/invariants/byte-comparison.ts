/** How many bytes two arrays begin with in common, by halves: the comparison itself is the machine's. */
export function commonLength(left: Uint8Array, right: Uint8Array): number {
  let equal = 0
  let tried = Math.min(left.length, right.length)
  for (let end = tried; equal < end; tried = (equal + end + 1) >>> 1) {
    if (Buffer.compare(left.subarray(equal, tried), right.subarray(equal, tried)) === 0) equal = tried
    else end = tried - 1
  }
  return equal
}

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && Buffer.compare(left, right) === 0
}

/** Where a text stands first; -1 if nowhere. */
export function indexOfText({ buffer, byteOffset, length }: Uint8Array, text: string): number {
  return Buffer.from(buffer, byteOffset, length).indexOf(text)
}
