import { markdownTable } from '../support/markdown.ts'
import type { Canary } from './canaries.ts'
import type { FirstFinding } from './found.ts'

const introduction = `# Canaries

Bugs planted in the engine, to see that the sweep finds them. Each is a patch in \`tests/canaries/canaries.ts\`: a text of one
source file, and what stands there instead while the engine is loaded for the canary's tests. \`src\` knows none of them.

A canary passes the ordinary tests: each step fails once, by an error, a gate or a limit, or the process dies after it; the run is
resumed, completes with the same artifacts, and no completed step runs again. The sweep then tries crashes or errors of the disk at
every write of the canary's workflow and stops at the first run in which an invariant does not hold. The engine without a
patch, loaded in the same way, gives no finding.

The table is made by the tests: \`npx vitest run --project canaries -u\` writes this page. \`family\` is the kind of fault that is
tried, \`first fault\` the one that shows the bug ([outcomes of a crash](simulated-disk.md), modes of an error), \`invariants\`
[what it breaks](invariants.md), \`scenarios\` how many were tried until then.
`

const head = ['canary', 'what is wrong', 'workflow', 'family', 'first fault', 'invariants', 'scenarios']

/** The page about the canaries and what was found of them. */
export function canaryPage(found: readonly (readonly [Canary, FirstFinding | undefined])[]): string {
  const rows = found.map(([{ name, wrong, workflow, family = 'crash' }, finding]) => [
    `\`${name}\``,
    wrong,
    workflow.id,
    family,
    finding?.fault ?? '',
    finding?.invariants.join(', ') ?? '',
    String(finding?.scenarios ?? ''),
  ])
  return `${introduction}\n${markdownTable([head, ...rows])}`
}
