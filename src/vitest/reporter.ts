import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node'
import { createNodeFiles } from '../adapters/node/index.ts'
import { readBundle, renderSummary } from '../bundle/index.ts'
import { isFaultlineError, joinPath } from '../core/index.ts'
import { takeBundleSlot } from './bundle-slots.ts'
import type { BundleSlots } from './bundle-slots.ts'
import { nameBundlesInJunit } from './junit-properties.ts'
import { selectionOf } from './selection.ts'
import { failedSetUps, leaveSetUpBundle } from './set-up-bundle.ts'
import { appendStepSummary } from './step-summary.ts'

export interface FaultlineReporterOptions {
  readonly root: string
  readonly bundles: string
  readonly bundleSlots: BundleSlots
  readonly isReplay: boolean
  readonly requiresLlm: boolean
  readonly redact: readonly RegExp[]
  /** Where projects are kept, if any are. */
  readonly keptProjects: string | null
}

/** One failure of the run: of a try of a test, or of a set-up. */
interface Failure {
  /** Null when the run had left as many bundles as it may. */
  readonly bundle: string | null
  /** A later try of the test passed. */
  readonly flaky: boolean
}

/** Shown in full; the rest gets a line each. */
const shownInFull = 5

/** Tells at the end of a run which bundles there are, what failed after its test had passed, and what was left out. */
export class FaultlineReporter implements Reporter {
  readonly #options: FaultlineReporterOptions
  readonly #suiteRunId: string
  #vitest: Vitest | undefined

  constructor(options: FaultlineReporterOptions) {
    this.#options = options
    this.#suiteRunId = new Date().toISOString().replaceAll(/[-:]/g, '').slice(0, 15) + `-${process.pid}`
  }

  /** Folder of this run's bundles, relative to the root. */
  get folder(): string {
    return this.#options.isReplay ? this.#options.bundles : joinPath(this.#options.bundles, this.#suiteRunId)
  }

  get bundleSlots(): BundleSlots {
    return this.#options.bundleSlots
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
  }

  /** In watch mode every run may leave its bundles. */
  onTestRunStart(): void {
    rmSync(this.#options.bundleSlots.folder, { recursive: true, force: true })
  }

  async onTestCaseResult(test: TestCase): Promise<void> {
    const bundles = failuresOf(test).flatMap(({ bundle }) => bundle ?? [])
    await nameBundlesInJunit(test, bundles, this.#vitest)
  }

  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const failures = [...tests.flatMap(failuresOf), ...(await this.#failuresOfSetUp(modules))]
    if (failures.length > 0) await this.#report(failures)
    this.#reportKeptProjects()
    this.#reportSelection(tests)
  }

  async #report(failures: readonly Failure[]): Promise<void> {
    const { root, bundles: parent, bundleSlots, isReplay } = this.#options
    // What is broken comes before what is only unsteady.
    const ordered = [...failures].sort((a, b) => Number(a.flaky) - Number(b.flaky))
    const left = ordered.flatMap(({ bundle, flaky }) => (bundle === null ? [] : [{ bundle, flaky }]))
    const title = `${count(left.length, 'failure bundle')} in ${this.#shown(this.folder)}`
    const blocks = [`\n faultline  ${title}`]
    const summaries: string[] = []
    for (const { bundle, flaky } of left.slice(0, shownInFull)) {
      summaries.push(await this.#summary(bundle, flaky))
    }
    blocks.push(...summaries.map(indented))
    const rest = left.slice(shownInFull)
    if (rest.length > 0) {
      const commands = rest.map(
        ({ bundle, flaky }) => `npx faultline show ${this.#shown(bundle)}${flaky ? '  (flaky)' : ''}`,
      )
      blocks.push(indented([`and ${rest.length} more:`, ...commands].join('\n')))
    }
    const leftOut = ordered.length - left.length
    if (leftOut > 0) {
      blocks.push(`  ${count(leftOut, 'further failure')} left no bundle: maxBundles is ${bundleSlots.max}`)
    }
    this.#vitest?.logger.log(blocks.join('\n\n'))
    if (!isReplay) {
      appendStepSummary({
        title,
        bundles: this.#shown(parent),
        failures: left.map(({ bundle }, index) => ({
          bundle: this.#shown(bundle),
          block: summaries[index] ?? null,
        })),
      })
    }

    const index = {
      suiteRunId: this.#suiteRunId,
      bundles: left.map(({ bundle }) => bundle),
      flaky: left.flatMap(({ bundle, flaky }) => (flaky ? [bundle] : [])),
      leftOut,
    }
    mkdirSync(join(root, this.folder), { recursive: true })
    writeFileSync(join(root, this.folder, 'run.json'), `${JSON.stringify(index, null, 2)}\n`)
    if (!isReplay) writeFileSync(join(root, parent, 'latest.json'), `${JSON.stringify(index, null, 2)}\n`)
  }

  /** Reports of shards are merged where their bundles need not be. */
  async #summary(bundle: string, flaky: boolean): Promise<string> {
    const outcome = flaky ? 'FLAKY' : 'FAILED'
    try {
      return renderSummary(await readBundle(createNodeFiles(this.#options.root), bundle), outcome)
    } catch (error) {
      if (!isFaultlineError(error)) throw error
      return `${outcome} ${basename(bundle)}\n  its bundle is not here: ${this.#shown(bundle)}`
    }
  }

  #shown(path: string): string {
    return relative(process.cwd(), join(this.#options.root, path)) || '.'
  }

  async #failuresOfSetUp(modules: readonly TestModule[]): Promise<readonly Failure[]> {
    // Where reports are merged, each shard has left its own.
    if (this.#vitest?.config.mergeReports !== undefined) return []
    const { root, redact, bundleSlots } = this.#options
    const place = { root, redact, bundles: this.folder, vitest: this.#vitest?.version ?? null }
    const failures: Failure[] = []
    for (const failed of failedSetUps(modules)) {
      const bundle = takeBundleSlot(bundleSlots) ? await leaveSetUpBundle(failed, place) : null
      failures.push({ bundle, flaky: false })
    }
    return failures
  }

  #reportKeptProjects(): void {
    const { keptProjects } = this.#options
    if (keptProjects === null || !existsSync(keptProjects)) return
    const kept = readdirSync(keptProjects).length
    if (kept > 0) this.#log(`${count(kept, 'project folder')} kept in ${keptProjects}`)
  }

  /** A run that was asked for something and has not done it must not look like success. */
  #reportSelection(tests: readonly TestCase[]): void {
    const config = this.#vitest?.config
    const filters = config?.tagsFilter ?? []
    const { withoutModel, askedForModel, nothingRan } = selectionOf(tests, filters)
    if (withoutModel > 0 && !this.#options.requiresLlm) {
      this.#log(
        `${count(withoutModel, 'requires_llm test')} skipped; set FAULTLINE_REQUIRES_LLM=1 to run them`,
      )
      if (askedForModel) this.#fail('requires_llm was asked for without opting in: this run fails')
    } else if (nothingRan && config?.passWithNoTests !== true && config?.shard === undefined) {
      this.#fail(`no test was run that --tags-filter=${filters.join(' and ')} selects: this run fails`)
    }
  }

  #log(text: string): void {
    this.#vitest?.logger.log(`\n faultline  ${text}`)
  }

  #fail(text: string): void {
    this.#vitest?.logger.error(`\n faultline  ${text}`)
    process.exitCode = 1
  }
}

function failuresOf(test: TestCase): readonly Failure[] {
  const flaky = test.result().state === 'passed'
  return (test.meta().faultline?.failedTries ?? []).map(({ bundle }) => ({ bundle, flaky }))
}

/** Empty lines stay empty. */
function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ')
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
