import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { appendStepSummary } from '../../../src/vitest/step-summary.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const one = {
  title: '1 failure bundle in b/run',
  bundles: 'b',
  failures: [{ bundle: 'b/run/shop-a1', block: 'FAILED shop\n```\nnot the end' }],
}

test('the summary of a step comes after what others have written, and nothing in a block can close it', () => {
  const file = join(temporaryFolder(), 'summary.md')
  writeFileSync(file, 'of others\n')
  appendStepSummary(one, { GITHUB_STEP_SUMMARY: file })
  expect(readFileSync(file, 'utf8')).toBe(`of others

## Failure bundles


1 failure bundle in b/run

\`\`\`\`
FAILED shop
\`\`\`
not the end
\`\`\`\`

\`\`\`
gh run download <run> --name faultline-bundles --dir b
npx faultline replay b/run/shop-a1
\`\`\`

`)
})

test('the summary of a step stays within what GitHub takes, and counts the rest', () => {
  const file = join(temporaryFolder(), 'summary.md')
  const failures = Array.from({ length: 50 }, (_, index) => ({
    bundle: `b/${index}`,
    block: 'x'.repeat(50_000),
  }))
  appendStepSummary({ ...one, failures }, { GITHUB_STEP_SUMMARY: file })
  const text = readFileSync(file, 'utf8')
  expect(text.length).toBeLessThan(250_000)
  expect(text).toMatch(/\n\nand 47 more\n/)
})

test('outside of a step no summary is written', () => {
  const folder = temporaryFolder()
  appendStepSummary(one, {})
  appendStepSummary(one, { GITHUB_STEP_SUMMARY: '' })
  expect(readdirSync(folder)).toEqual([])
})
