import { beforeEach, expect, test } from 'vitest'
import { Walks } from '../../../../src/harness/invariants/walks.ts'

interface Item {
  readonly name: string
}

/** Keeps what it has taken in, in a list that it writes to. */
class Names {
  readonly names: string[]

  constructor(names: readonly string[] = []) {
    this.names = [...names]
  }

  take({ name }: Item): void {
    taken.push(name)
    this.names.push(name)
  }
}

let taken: string[]
let walks: Walks<Item, Names>
beforeEach(() => {
  taken = []
  walks = new Walks(
    () => new Names(),
    ({ names }) => new Names(names),
  )
})

test('what a list adds up to is what was taken in, item by item', () => {
  const items = itemsOf('a', 40)
  expect(walks.through(items).names).toEqual(namesOf(items))
  expect(walks.through(items, 7).names).toEqual(namesOf(items.slice(0, 7)))
  expect(walks.through(items, 0).names).toEqual([])
  expect(walks.through([]).names).toEqual([])
})

test('equal questions have one answer, and nothing is walked for it again', () => {
  const items = itemsOf('a', 40)
  const first = walks.through(items)
  taken = []
  expect(walks.through([...items])).toBe(first)
  expect(walks.through([...items, ...itemsOf('b', 3)], 40)).toBe(first)
  expect(taken).toEqual([])
})

test('a list that begins with a known one is walked from there, one that leaves it on the way from shortly before', () => {
  const items = itemsOf('a', 40)
  walks.through(items)
  taken = []
  walks.through([...items, ...itemsOf('b', 2)])
  expect(taken).toEqual(['b0', 'b1'])
  taken = []
  walks.through([...items.slice(0, 35), ...itemsOf('c', 2)])
  expect(taken).toEqual(['a33', 'a34', 'c0', 'c1'])
})

test('lists that go apart and have items in common again do not share what came before', () => {
  const items = itemsOf('a', 40)
  walks.through(items)
  for (const index of [0, 1, 15, 16, 17, 38]) {
    const other = items.with(index, { name: 'other' })
    expect(walks.through(other).names).toEqual(namesOf(other))
  }
  const shorter = items.toSpliced(3, 1)
  expect(walks.through(shorter).names).toEqual(namesOf(shorter))
  expect(walks.through(items).names).toEqual(namesOf(items))
})

test('an item that stands twice in a list is told by its place', () => {
  const items = itemsOf('a', 6)
  walks.through([...items, ...items.slice(3)])
  expect(walks.through(items).names).toEqual(namesOf(items))
})

test('whoever goes on from a known walk leaves it as it is', () => {
  const items = itemsOf('a', 40)
  const whole = walks.through(items)
  const begun = walks.through(items, 17)
  walks.through([...items, ...itemsOf('b', 30)])
  walks.through([...items.slice(0, 17), ...itemsOf('c', 30)])
  expect(whole.names).toEqual(namesOf(items))
  expect(begun.names).toEqual(namesOf(items.slice(0, 17)))
})

test('of a long list no more is kept than of a short one', () => {
  let copies = 0
  const counting = new Walks<Item, Names>(
    () => new Names(),
    ({ names }) => {
      copies++
      return new Names(names)
    },
  )
  counting.through(itemsOf('a', 10_000))
  expect(copies).toBeGreaterThan(4)
  expect(copies).toBeLessThanOrEqual(16)
})

function itemsOf(stem: string, count: number): readonly Item[] {
  return Array.from({ length: count }, (_, index) => ({ name: `${stem}${index}` }))
}

function namesOf(items: readonly Item[]): readonly string[] {
  return items.map(({ name }) => name)
}
