/** A seeded stream of pseudo-random numbers. Forking by name gives streams that do not depend on draw order. */
export interface SeededRandom {
  /** A number in [0, 1). */
  next(): number
  /** A whole number in [0, bound). */
  integer(bound: number): number
  /** `length` lower-case hexadecimal digits. */
  hex(length: number): string
  fork(name: string): SeededRandom
}

/** The seed used when nobody gives one: fixed, so that two plain runs agree. */
export const defaultSeed = 1

export function seededRandom(seed: number | string): SeededRandom {
  let state = hash32(String(seed))
  const draw = (): number => {
    // SplitMix32: one addition and an avalanche per draw; period 2^32, ample for test decisions.
    state = (state + 0x9e3779b9) | 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }
  return {
    next: () => draw() / 0x1_0000_0000,
    integer: (bound) => Math.floor((draw() / 0x1_0000_0000) * bound),
    hex(length) {
      let text = ''
      while (text.length < length) text += draw().toString(16).padStart(8, '0')
      return text.slice(0, length)
    },
    fork: (name) => seededRandom(`${seed}/${name}`),
  }
}

/** FNV-1a with a final avalanche: turns any seed or name into 32 well-spread bits. */
function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  hash ^= hash >>> 16
  hash = Math.imul(hash, 0x85ebca6b)
  return hash ^ (hash >>> 13)
}
