/**
 * A hash that goes on where it stopped, whatever the pieces: two lanes of 32 bits. Tells states apart, is no protection
 * against somebody who wants two to look alike.
 */
export interface StreamHash {
  readonly first: number
  readonly second: number
}

export const emptyHash: StreamHash = { first: 0x2f0b4c47, second: 0x6a09e667 }

export function hashOn(hash: StreamHash, bytes: Uint8Array): StreamHash {
  let { first, second } = hash
  for (const byte of bytes) {
    first = Math.imul(first ^ byte, 0x9e3779b1)
    first = (first << 13) | (first >>> 19)
    second = Math.imul(second ^ byte, 0x5f356495)
    second = (second << 15) | (second >>> 17)
  }
  return { first, second }
}

export function hashText({ first, second }: StreamHash): string {
  return hex(first) + hex(second)
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0')
}
