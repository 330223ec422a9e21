import { describe, expect, test } from 'vitest'
import type { TestCase } from 'vitest/node'
import { selectionOf } from '../../../src/vitest/selection.ts'

const known = ['e2e_workflow', 'requires_llm', 'slow'].map((name) => ({ name }))

function ended(state: 'passed' | 'skipped', ...tags: readonly string[]): TestCase {
  return { tags, result: () => ({ state }), project: { config: { tags: known } } } as unknown as TestCase
}

const withModel = ended('skipped', 'requires_llm')
const slowWithModel = ended('skipped', 'requires_llm', 'slow')
const plain = ended('passed')

describe('a filter by tags', () => {
  test.each([
    [[], 2, false],
    [['requires_llm'], 2, true],
    [['requires_*'], 2, true],
    [['e2e_workflow or requires_llm'], 2, true],
    [['requires_llm and slow'], 1, true],
    [['requires_llm', 'slow'], 1, true],
    [['slow'], 1, false],
    [['slow or requires_llm'], 2, true],
    [['!requires_llm'], 0, false],
    [['not requires_llm'], 0, false],
    [['not slow'], 1, false],
  ] as const)('%j leaves out %i tests of models; asked for by name: %s', (filters, withoutModel, asked) => {
    const { withoutModel: left, askedForModel } = selectionOf([withModel, slowWithModel, plain], filters)
    expect([left, askedForModel]).toEqual([withoutModel, asked])
  })

  test('that has selected nothing is told from one that has, from none, and from a run without tests', () => {
    const nothingRan = (tests: readonly TestCase[], filters: readonly string[]): boolean =>
      selectionOf(tests, filters).nothingRan
    expect(nothingRan([ended('skipped')], ['slow'])).toBe(true)
    expect(nothingRan([ended('skipped'), ended('passed', 'slow')], ['slow'])).toBe(false)
    expect(nothingRan([ended('skipped')], [])).toBe(false)
    expect(nothingRan([], ['slow'])).toBe(false)
  })

  test('does not count a test of a model that ran', () => {
    expect(selectionOf([ended('passed', 'requires_llm')], ['requires_llm'])).toEqual({
      withoutModel: 0,
      askedForModel: false,
      nothingRan: false,
    })
  })
})
