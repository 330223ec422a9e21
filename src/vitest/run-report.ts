import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { createNodeFiles } from '../adapters/node/index.ts'
import { readBundle, readManifest, renderSummary } from '../bundle/index.ts'
import type { BundleReason } from '../bundle/index.ts'
import { isFaultlineError } from '../core/index.ts'
import { count } from './count.ts'
import { runIndexFile } from './run-index.ts'
import type { RunIndex } from './run-index.ts'
import { appendStepSummary } from './step-summary.ts'

/** One failure of the run: of a try of a test, or of a set-up. */
export interface Failure {
  /** Null when the run had left as many bundles as it may. */
  readonly bundle: string | null
  /** Null: its bundle tells. */
  readonly reason: BundleReason | null
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

/** As wide as ` faultline  `. */
const besideTitle = ' '.repeat(12)

/** Shown in full; the rest gets a line each. */
const shownInFull = 5

/**
 * Writes down which bundles a run has left and why, and answers what to print of them.
 *
 * @param withoutModel Tests that were skipped for want of a real model; null where the run was broken off.
 */
export async function reportFailures(
  run: ReportedRun,
  failures: readonly Failure[],
  withoutModel: number | null,
): Promise<string> {
  // What is broken comes before what is only unsteady.
  const ordered = [...failures].sort((a, b) => Number(a.flaky) - Number(b.flaky))
  const left: { readonly bundle: string; readonly reason: BundleReason | null; readonly flaky: boolean }[] =
    []
  for (const { bundle, reason, flaky } of ordered) {
    if (bundle !== null) left.push({ bundle, reason: reason ?? (await reasonOf(run.root, bundle)), flaky })
  }
  const leftOut = ordered.length - left.length
  writeIndex(run, {
    suiteRunId: run.suiteRunId,
    bundles: left.map(({ bundle }) => bundle),
    reasons: Object.fromEntries(left.map(({ bundle, reason }) => [bundle, reason])),
    flaky: left.flatMap(({ bundle, flaky }) => (flaky ? [bundle] : [])),
    leftOut,
    skipped: { requires_llm: withoutModel },
  })

  const shown = (path: string): string => relative(process.cwd(), join(run.root, path)) || '.'
  const reasons = left.length > 1 ? [tally(left.map(({ reason }) => reason ?? 'unknown'))] : []
  const title = `${count(left.length, 'failure bundle')} in ${shown(run.folder)}`
  const summaries: string[] = []
  for (const { bundle, flaky } of left.slice(0, shownInFull)) {
    summaries.push(await summary(run.root, bundle, flaky, shown))
  }
  if (run.allRuns !== null) {
    appendStepSummary({
      title: [title, ...reasons].join(': '),
      bundles: shown(run.allRuns),
      failures: left.map(({ bundle }, index) => ({ bundle: shown(bundle), block: summaries[index] ?? null })),
    })
  }

  const blocks = [`\n faultline  ${[title, ...reasons].join(`\n${besideTitle}`)}`, ...summaries.map(indented)]
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

function writeIndex({ root, folder, allRuns }: ReportedRun, index: RunIndex): void {
  const text = `${JSON.stringify(index, null, 2)}\n`
  mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(join(root, folder, runIndexFile), text)
  if (allRuns !== null) writeFileSync(join(root, allRuns, 'latest.json'), text)
}

/** `3 assertion, 1 timeout`: the most frequent first. */
function tally(words: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts]
    .sort(([left, many], [right, more]) => more - many || (left < right ? -1 : 1))
    .map(([word, times]) => `${times} ${word}`)
    .join(', ')
}

/** Null where the bundle is not here. */
async function reasonOf(root: string, bundle: string): Promise<BundleReason | null> {
  try {
    return (await readManifest(createNodeFiles(root), bundle)).reason
  } catch (error) {
    if (!isFaultlineError(error)) throw error
    return null
  }
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
