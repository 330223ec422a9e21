import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { configWith, testImports } from '../../support/failure-bundles.ts'
import { stranger } from '../../support/stranger.ts'
import type { Stranger } from '../../support/stranger.ts'

const tagged = `${testImports}
test('plain', () => {})
test('asks a model', { tags: ['requires_llm'] }, () => {})
describe('answers of a model', { tags: ['requires_llm'] }, () => {
  test('one', () => {})
  test('two', () => {})
})
`

let project: Stranger

beforeAll(() => {
  project = stranger(inject('packedPackage'), {
    'package.json': '{ "name": "stranger", "type": "module" }',
    'vitest.config.ts': configWith(),
    'tagged.test.ts': tagged,
  })
})

afterAll(() => project.remove())

const optedIn = { FAULTLINE_REQUIRES_LLM: '1' }

/** Exit code, Vitest's count of the tests, and what faultline says. */
function outcome(args: readonly string[], env: Readonly<Record<string, string>> = {}): readonly unknown[] {
  const { code, stdout, stderr } = project.vitest(args, { FAULTLINE_REQUIRES_LLM: '', ...env })
  const said = [...`${stdout}${stderr}`.matchAll(/^ faultline {2}(.*)$/gm)].map(([, text]) => text)
  return [code, /^ +Tests +(.*)$/m.exec(stdout)?.[1], ...said]
}

describe('tests that call a real model', () => {
  const skipped = '3 requires_llm tests skipped; set FAULTLINE_REQUIRES_LLM=1 to run them'

  test('are skipped by default, and counted', () => {
    expect(outcome([])).toEqual([0, '1 passed | 3 skipped (4)', skipped])
  })

  test('fail the run when they are asked for without opting in', () => {
    expect(outcome(['--tags-filter=requires_llm'])).toEqual([
      1,
      '4 skipped (4)',
      skipped,
      'requires_llm was asked for without opting in: this run fails',
    ])
  })

  test('run when one has opted in', () => {
    expect(outcome(['--tags-filter=requires_llm'], optedIn)).toEqual([0, '3 passed | 1 skipped (4)'])
  })
})

test('a filter by tags that selects no test fails the run', () => {
  expect(outcome(['--tags-filter=e2e_workflow'], optedIn)).toEqual([
    1,
    '4 skipped (4)',
    'no test was run that --tags-filter=e2e_workflow selects: this run fails',
  ])
})
