import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { StreamHasher, type StreamHash } from '../../../../src/adapters/virtual/stream-hash.ts'

/** Few different bytes, zeros and set top bits among them: so that what is alike by halves occurs. */
const byte = fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 }))
const someBytes = fc.array(byte, { maxLength: 40 }).map((values) => new Uint8Array(values))
const parameters = { seed: 20_260_103, numRuns: 500 }

/** All that a hasher knows. */
function partsOf({ first, second, open, openBytes }: StreamHash): StreamHash {
  return { first, second, open, openBytes }
}

function hashOf(...pieces: readonly Uint8Array[]): StreamHash {
  const hasher = new StreamHasher()
  for (const piece of pieces) hasher.bytes(piece)
  return partsOf(hasher)
}

/** As a digest of a disk takes the hash of a content in. */
function digestOf(bytes: Uint8Array): string {
  return new StreamHasher().hash(hashOf(bytes)).toString()
}

/** Pieces at whose seams the whole was cut, empty ones included. */
function cut(bytes: Uint8Array, places: readonly number[]): readonly Uint8Array[] {
  const seams = [0, ...places.map((place) => Math.min(place, bytes.length)), bytes.length]
  seams.sort((left, right) => left - right)
  return seams.slice(1).map((end, index) => bytes.subarray(seams[index], end))
}

function flipped(bytes: Uint8Array, ...bits: readonly number[]): Uint8Array {
  const other = bytes.slice()
  for (const bit of bits) other[bit >> 3] = (other[bit >> 3] as number) ^ (1 << (bit & 7))
  return other
}

/** All with one bit or two of them flipped. */
function withBitsFlipped(bytes: Uint8Array): readonly Uint8Array[] {
  const bits = Array.from({ length: bytes.length * 8 }, (_, bit) => bit)
  return bits.flatMap((one) => [
    flipped(bytes, one),
    ...bits.slice(one + 1).map((two) => flipped(bytes, one, two)),
  ])
}

describe('the hash of bytes', () => {
  test('is the same however they are cut into pieces', () => {
    fc.assert(
      fc.property(someBytes, fc.array(fc.nat(40), { maxLength: 8 }), (bytes, places) => {
        expect(hashOf(...cut(bytes, places))).toEqual(hashOf(bytes))
      }),
      parameters,
    )
    const bytes = Uint8Array.from({ length: 17 }, (_, index) => 255 - index)
    for (let one = 0; one <= bytes.length; one++) {
      for (let other = one; other <= bytes.length; other++) {
        expect([one, other, hashOf(...cut(bytes, [one, other]))]).toEqual([one, other, hashOf(bytes)])
      }
    }
  })

  test('is the same when another hasher goes on from where one has stopped', () => {
    fc.assert(
      fc.property(someBytes, fc.nat(40), (bytes, place) => {
        const [begin, rest] = cut(bytes, [place]) as [Uint8Array, Uint8Array]
        const before = partsOf(new StreamHasher().bytes(begin))
        const other = new StreamHasher(before).bytes(rest)
        expect(partsOf(other)).toEqual(hashOf(bytes))
        expect(before).toEqual(hashOf(begin))
      }),
      parameters,
    )
  })

  test('differs for different bytes', () => {
    fc.assert(
      fc.property(someBytes, someBytes, (left, right) => {
        expect(digestOf(left) === digestOf(right)).toBe(String(left) === String(right))
      }),
      parameters,
    )
  })

  test('differs when any byte is another one', () => {
    fc.assert(
      fc.property(someBytes, fc.nat(39), fc.integer({ min: 1, max: 255 }), (bytes, place, change) => {
        fc.pre(bytes.length > 0)
        const other = bytes.slice()
        const changed = place % bytes.length
        other[changed] = (other[changed] as number) ^ change
        expect(digestOf(other)).not.toBe(digestOf(bytes))
      }),
      parameters,
    )
  })

  test('differs when one or two bits differ, in all such bytes', () => {
    const bytes = new Uint8Array(14)
    const others = withBitsFlipped(bytes)
    expect(new Set([bytes, ...others].map(digestOf)).size).toBe(1 + others.length)
  })

  test('differs when two bytes change places', () => {
    const bytes = Uint8Array.from({ length: 13 }, (_, index) => index + 1)
    const digests = new Set([digestOf(bytes)])
    for (let one = 0; one < bytes.length; one++) {
      for (let two = one + 1; two < bytes.length; two++) {
        const other = bytes.slice()
        other.set([bytes[two] as number], one)
        other.set([bytes[one] as number], two)
        digests.add(digestOf(other))
      }
    }
    expect(digests.size).toBe(1 + (13 * 12) / 2)
  })

  test('differs for zeros at the end and at the beginning, and for how many there are', () => {
    fc.assert(
      fc.property(someBytes, fc.integer({ min: 1, max: 9 }), (bytes, count) => {
        const zeros = new Uint8Array(count)
        expect(digestOf(new Uint8Array([...bytes, ...zeros]))).not.toBe(digestOf(bytes))
        expect(digestOf(new Uint8Array([...zeros, ...bytes]))).not.toBe(digestOf(bytes))
      }),
      parameters,
    )
    const lengths = Array.from({ length: 64 }, (_, length) => digestOf(new Uint8Array(length)))
    expect(new Set(lengths).size).toBe(lengths.length)
  })

  test.each(['first', 'second'] as const)(
    'has a lane %s that each word changes, and what one lane takes for equal the other does not',
    (lane) => {
      const other = lane === 'first' ? 'second' : 'first'
      const word = fc.uint8Array({ minLength: 4, maxLength: 4 })
      fc.assert(
        fc.property(someBytes, word, word, word, (before, left, right, next) => {
          fc.pre(String(left) !== String(right))
          const [one, two] = [hashOf(before, left), hashOf(before, right)]
          fc.pre(one.openBytes === 0)
          expect(two[lane]).not.toBe(one[lane])
          // What makes up for the difference in this lane.
          const makesUp = new Uint8Array(4)
          new DataView(makesUp.buffer).setInt32(0, one[lane] ^ two[lane] ^ leastFirst(next), true)
          const [ends, endsAlike] = [hashOf(before, left, next), hashOf(before, right, makesUp)]
          expect(endsAlike[lane]).toBe(ends[lane])
          expect(endsAlike[other]).not.toBe(ends[other])
        }),
        parameters,
      )
    },
  )

  test.each(['first', 'second'] as const)(
    'has a lane %s in which no bit is lost, nor the top one undone by that of the next word',
    (lane) => {
      const words = new Uint8Array(8)
      const bits = Array.from({ length: 32 }, (_, bit) => bit)
      const lanes = [words, ...bits.map((bit) => flipped(words, bit))].map((each) => hashOf(each)[lane])
      expect(new Set(lanes).size).toBe(1 + bits.length)
      expect(hashOf(flipped(words, 31, 63))[lane]).not.toBe(hashOf(words)[lane])
    },
  )
})

describe('the hash of names', () => {
  test('differs for different names, and for the same letters told apart otherwise', () => {
    const letter = fc.constantFrom('a', 'b', 'ä', '\u0161', '\u{10000}', '\0')
    const name = fc.array(letter, { maxLength: 3 }).map((letters) => letters.join(''))
    const digest = (names: readonly string[]): string => {
      const hasher = new StreamHasher()
      for (const each of names) hasher.name(each)
      return hasher.toString()
    }
    fc.assert(
      fc.property(fc.array(name, { maxLength: 3 }), fc.array(name, { maxLength: 3 }), (left, right) => {
        expect(digest(left) === digest(right)).toBe(JSON.stringify(left) === JSON.stringify(right))
      }),
      parameters,
    )
    expect(new Set([['ab', 'c'], ['a', 'bc'], ['abc'], ['abc', ''], ['', 'abc']].map(digest)).size).toBe(5)
    expect(digest(['aba'])).not.toBe(digest(['abb']))
    expect(digest(['ä'])).not.toBe(digest(['a']))
    expect(digest(['\u0161'])).not.toBe(digest(['\u0061']))
  })
})

describe('a hash in another one', () => {
  const hash: StreamHash = { first: 1, second: 2, open: 3, openBytes: 4 }

  test.each(['first', 'second', 'open', 'openBytes'] as const)('counts with its %s', (part) => {
    const other = { ...hash, [part]: 9 }
    expect(new StreamHasher().hash(other).toString()).not.toBe(new StreamHasher().hash(hash).toString())
  })
})

test('both lanes show in the text of a hash, with eight digits each', () => {
  expect(String(new StreamHasher({ first: 1, second: -1, open: 0, openBytes: 0 }))).toBe('00000001ffffffff')
})

function leastFirst(word: Uint8Array): number {
  return new DataView(word.buffer, word.byteOffset).getInt32(0, true)
}
