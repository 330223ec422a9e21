import { expect, test } from 'vitest'
import { runLayout, storeLayout } from '../../../../src/engine/store/layout.ts'

test('runs that are asked for in turns, in two places, each have paths of their own', () => {
  const stores = [storeLayout(), storeLayout({ stateDirectory: 'elsewhere' })]
  const asked = [0, 0, 1, 0].flatMap((store) => ['run-1', 'run-2', 'run-1'].map((id) => [store, id] as const))
  const expected = asked.map(([store, id]) => `${store === 0 ? '.workflow' : 'elsewhere'}/runs/${id}/lock`)
  expect(asked.map(([store, id]) => runLayout(stores[store] ?? storeLayout(), id).lock)).toEqual(expected)
})
