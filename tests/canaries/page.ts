import { markdownTable } from '../support/markdown.ts'
import type { Canary } from './canaries.ts'
import { planWords } from './found.ts'
import type { FoundCanary } from './found.ts'

const introduction = `# Canaries

Bugs planted in the engine, to see that the sweep finds them. Each is a patch in \`tests/canaries/canaries.ts\`: a text of one
source file, and what stands there instead while the engine is loaded for the canary's tests. \`src\` knows none of them.

A canary passes the ordinary tests: each step fails once, by an error, a gate or a limit, or the process dies after it; the run is
resumed, completes with the same artifacts, and no completed step runs again. The sweep then tries all faults of the tier \`full\` on the
canary's workflow and stops at the first run in which an invariant does not hold. Its plan is made small, saved as a file, read
again, and breaks the same again. The engine without a patch, loaded in the same way, gives no finding.

The table is made by the tests: \`npx vitest run --project canaries -u\` writes this page. \`smallest plan\` is what it takes to show the
bug ([outcomes of a crash](simulated-disk.md), modes of an error), never more than the bug needs; \`invariants\` [what that
breaks](invariants.md); \`scenarios\` how many runs of all families the full tier had made when it found the bug.
`

const head = ['canary', 'what is wrong', 'workflow', 'smallest plan', 'invariants', 'scenarios']

/** The page about the canaries and what was found of them. */
export function canaryPage(found: readonly (readonly [Canary, FoundCanary | undefined])[]): string {
  const rows = found.map(([{ name, wrong, workflow }, seen]) => [
    `\`${name}\``,
    wrong,
    workflow.id,
    planWords(seen?.finding.minimised?.faults ?? []),
    seen?.finding.minimised?.invariants.join(', ') ?? '',
    String(seen?.scenarios ?? ''),
  ])
  return `${introduction}\n${markdownTable([head, ...rows])}`
}
