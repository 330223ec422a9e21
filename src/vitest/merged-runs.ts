import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Reporter, TestModule } from 'vitest/node'
import { runIndexFile } from './run-index.ts'
import type { RunIndex } from './run-index.ts'
import type { Failure } from './run-report.ts'

declare module 'vitest' {
  interface TaskMeta {
    /** Of a file: the folder of the bundles of its run, relative to the root. */
    faultlineRun?: string
  }
}

/**
 * Notes in the report of a shard which run it was. It has to stand before the reporter that writes the report, which does so as
 * soon as it hears of the end.
 */
export class RunMark implements Reporter {
  readonly #folder: string

  /** @param folder of the run's bundles, relative to the root */
  constructor(folder: string) {
    this.#folder = folder
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules) module.meta().faultlineRun ??= this.#folder
  }
}

/**
 * What the runs whose reports are merged have left beside what their tests tell: bundles of set-ups, and of tests that did not
 * live to tell.
 *
 * @param told by the tests
 */
export function failuresOfRuns(
  root: string,
  modules: readonly TestModule[],
  told: readonly Failure[],
): readonly Failure[] {
  const folders = new Set(modules.flatMap((module) => module.meta().faultlineRun ?? []))
  const indexes = [...folders].flatMap((folder) => readIndex(join(root, folder, runIndexFile)))
  const known = new Set(told.map(({ bundle }) => bundle))
  const untold = indexes.flatMap(({ bundles, reasons, flaky }) =>
    bundles
      .filter((bundle) => !known.has(bundle))
      .map((bundle) => ({ bundle, reason: reasons[bundle] ?? null, flaky: flaky.includes(bundle) })),
  )
  const toldOfNone = told.filter(({ bundle }) => bundle === null).length
  const leftOut = indexes.reduce((sum, index) => sum + index.leftOut, 0) - toldOfNone
  const withoutBundle = { bundle: null, reason: null, flaky: false }
  return [...untold, ...Array.from({ length: Math.max(0, leftOut) }, () => withoutBundle)]
}

/** None where the bundles of the shard are not here. */
function readIndex(path: string): readonly RunIndex[] {
  return existsSync(path) ? [JSON.parse(readFileSync(path, 'utf8')) as RunIndex] : []
}
