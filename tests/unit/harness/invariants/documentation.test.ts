import { expect, test } from 'vitest'
import {
  builtInInvariants,
  clockJumps,
  determinism,
  schedules,
} from '../../../../src/harness/invariants/index.ts'
import { readPage, tableRows } from '../../../support/markdown.ts'
import { mutations } from './mutations.ts'

const rows = tableRows(readPage('docs/invariants.md')).filter(([name = '']) => /^O\d+$/.test(name))
const [promised, found] = [rows.filter(isPromise), rows.filter((row) => !isPromise(row))]

test('docs/invariants.md says what every invariant promises', () => {
  const several = [clockJumps, schedules, determinism]
  const all = [
    ...builtInInvariants.map(({ name, title }) => [name, title, 'one run']),
    ...several.map(({ name, title }) => [name, title, 'several runs']),
  ]
  expect(promised).toEqual(all.toSorted(([left = ''], [right = '']) => numberOf(left) - numberOf(right)))
})

test('docs/invariants.md lists every way of breaking an invariant that is tested', () => {
  const tested = mutations.map(({ invariant, tampering, says }) => [invariant, tampering, [says].flat()[0]])
  expect(found).toEqual(tested)
})

test('every invariant is broken in at least one way', () => {
  const broken = new Set(mutations.map(({ invariant }) => invariant))
  expect(builtInInvariants.filter(({ name }) => !broken.has(name))).toEqual([])
})

function isPromise([, , kind]: readonly string[]): boolean {
  return kind === 'one run' || kind === 'several runs'
}

function numberOf(name: string): number {
  return Number(name.slice(1))
}
