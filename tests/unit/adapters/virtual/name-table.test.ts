import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NameTable } from '../../../../src/adapters/virtual/name-table.ts'

const changes = fc.array(fc.tuple(fc.string({ maxLength: 2 }), fc.option(fc.nat(), { nil: undefined })))

test('a table has what a map has, sorted by name', () => {
  fc.assert(
    fc.property(changes, (all) => {
      const map = new Map<string, number>()
      let table = new NameTable<number>()
      for (const [name, target] of all) {
        if (target === undefined) map.delete(name)
        else map.set(name, target)
        table = target === undefined ? table.without(name) : table.with(name, target)
        expect([table.size, table.has(name), table.get(name)]).toEqual([
          map.size,
          target !== undefined,
          target,
        ])
      }
      const sorted = [...map.keys()].sort()
      expect(table.names).toEqual(sorted)
      expect(table.targets).toEqual(sorted.map((name) => map.get(name)))
    }),
  )
})

test('a table stays as it is when others are made of it', () => {
  const table = new NameTable<number>().with('a', 1).with('c', 3)
  table.with('b', 2)
  table.with('a', 4)
  table.without('c')
  expect([table.names, table.targets]).toEqual([
    ['a', 'c'],
    [1, 3],
  ])
})
