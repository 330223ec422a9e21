import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { createNodeFiles } from '../adapters/node/index.ts'
import { readBundle, renderSummary } from '../bundle/index.ts'
import { isFaultlineError } from '../core/index.ts'
import { count } from './count.ts'
import { appendStepSummary } from './step-summary.ts'

/** One failure of the run: of a try of a test, or of a set-up. */
export interface Failure {
  /** Null when the run had left as many bundles as it may. */
  readonly bundle: string | null
  /** A later try of the test passed. */
  readonly flaky: boolean
}

/** The run that is reported. */
export interface ReportedRun {
  readonly suiteRunId: string
  readonly root: string
  /** Folder of its bundles, relative to the root. */
  readonly folder: string
  /** Folder of the bundles of all runs; null for a replay, which is not one of them. */
  readonly allRuns: string | null
  readonly maxBundles: number
}

/** Shown in full; the rest gets a line each. */
const shownInFull = 5

/** Writes down which bundles a run has left, and answers what to print of them. */
export async function reportFailures(run: ReportedRun, failures: readonly Failure[]): Promise<string> {
  // What is broken comes before what is only unsteady.
  const ordered = [...failures].sort((a, b) => Number(a.flaky) - Number(b.flaky))
  const left = ordered.flatMap(({ bundle, flaky }) => (bundle === null ? [] : [{ bundle, flaky }]))
  const leftOut = ordered.length - left.length
  writeIndex(run, {
    suiteRunId: run.suiteRunId,
    bundles: left.map(({ bundle }) => bundle),
    flaky: left.flatMap(({ bundle, flaky }) => (flaky ? [bundle] : [])),
    leftOut,
  })

  const shown = (path: string): string => relative(process.cwd(), join(run.root, path)) || '.'
  const title = `${count(left.length, 'failure bundle')} in ${shown(run.folder)}`
  const summaries: string[] = []
  for (const { bundle, flaky } of left.slice(0, shownInFull)) {
    summaries.push(await summary(run.root, bundle, flaky, shown))
  }
  if (run.allRuns !== null) {
    appendStepSummary({
      title,
      bundles: shown(run.allRuns),
      failures: left.map(({ bundle }, index) => ({ bundle: shown(bundle), block: summaries[index] ?? null })),
    })
  }

  const blocks = [`\n faultline  ${title}`, ...summaries.map(indented)]
  const rest = left.slice(shownInFull)
  if (rest.length > 0) {
    const commands = rest.map(
      ({ bundle, flaky }) => `npx faultline show ${shown(bundle)}${flaky ? '  (flaky)' : ''}`,
    )
    blocks.push(indented([`and ${rest.length} more:`, ...commands].join('\n')))
  }
  if (leftOut > 0) {
    blocks.push(`  ${count(leftOut, 'further failure')} left no bundle: maxBundles is ${run.maxBundles}`)
  }
  return blocks.join('\n\n')
}

function writeIndex({ root, folder, allRuns }: ReportedRun, index: object): void {
  const text = `${JSON.stringify(index, null, 2)}\n`
  mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(join(root, folder, 'run.json'), text)
  if (allRuns !== null) writeFileSync(join(root, allRuns, 'latest.json'), text)
}

/** Reports of shards are merged where their bundles need not be. */
async function summary(
  root: string,
  bundle: string,
  flaky: boolean,
  shown: (path: string) => string,
): Promise<string> {
  const outcome = flaky ? 'FLAKY' : 'FAILED'
  try {
    return renderSummary(await readBundle(createNodeFiles(root), bundle), outcome)
  } catch (error) {
    if (!isFaultlineError(error)) throw error
    return `${outcome} ${basename(bundle)}\n  its bundle is not here: ${shown(bundle)}`
  }
}

/** Empty lines stay empty. */
function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ')
}
