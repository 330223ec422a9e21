import { expect, test } from 'vitest'
import config from '../../../vitest.config.ts'
import { markdownTable, readPage, tableRows } from '../../support/markdown.ts'

/** What was asked for, by the group of rows in docs/traceability.md. */
const groups = [
  { prefix: 'S2-T1', about: 'beginning', least: 4 },
  { prefix: 'S2-T2', about: 'life of a run', least: 6 },
  { prefix: 'S2-T3', about: 'order and side by side', least: 6 },
  { prefix: 'S2-T4', about: 'parameters', least: 6 },
  { prefix: 'S2-T5', about: 'graphs', least: 6 },
  { prefix: 'S2-T6', about: 'conditions', least: 6 },
  { prefix: 'S2-T7', about: 'errors', least: 6 },
  { prefix: 'S2-T8', about: 'pausing and cancelling', least: 6 },
  { prefix: 'S2-T9', about: 'schemas', least: 6 },
] as const

const rows = tableRows(readPage('docs/traceability.md'))

function group({ prefix, about, least }: (typeof groups)[number]) {
  const own = rows.filter(([id = '']) => id.startsWith(`${prefix}.`))
  const proven = own.filter(([, , title]) => title !== '')
  const open = own.filter(([, where = '']) => where.startsWith('not yet'))
  return {
    prefix,
    about,
    least,
    rows: new Set(own.map(([id]) => id)).size,
    open: open.length,
    tests: new Set(proven.map(([, where, title]) => `${where} ${title}`)).size,
  }
}

const counted = groups.map(group)

function page(): string {
  const thresholds = config.test?.coverage?.thresholds as Record<string, Record<string, number>>
  const engine = thresholds['src/engine/**']
  return `# The tests of the engine, in numbers

\`tests/unit/docs/engine-tests.test.ts\` counts this page anew and fails when it says something else; \`-u\` writes it.

## By what was asked for

Different tests that [the traceability](traceability.md) names for the rows of a group; a table of cases is one test, and one
that proves rows of two groups counts in both. The tests themselves, with what each asserts, are what counts.

${markdownTable([
  ['group', 'about', 'rows', 'not yet proven', 'tests asked for', 'tests named'],
  ...counted.map((each) =>
    [each.prefix, each.about, each.rows, each.open, each.least, each.tests].map(String),
  ),
])}
## Coverage

\`npm test\` and \`npm run coverage\` fail when less than ${engine?.['lines']} % of the lines or ${engine?.['branches']} % of the branches of \`src/engine\` are run. How much it
is by the tests of the engine alone, without those of the harness and the command line that use it, says

\`\`\`sh
npm run coverage -- tests/unit/engine
\`\`\`

which is red for the folders that they are not about. What no number here says: whether the tests would notice. For that the
[canaries](canaries.md) plant bugs, and \`tests/unit/engine/flow/flow.property.test.ts\` compares with a model of its own.
`
}

test('docs/engine-tests.md says what there is', async () => {
  await expect(page()).toMatchFileSnapshot('../../../docs/engine-tests.md')
})

test('every group of the engine has at least as many tests as were asked for', () => {
  expect(counted.filter(({ tests, least }) => tests < least)).toEqual([])
  expect(groups.reduce((sum, { least }) => sum + least, 0)).toBe(52)
})
