import { randomInt } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import type { Reporter, TestCase, TestModule, Vitest } from 'vitest/node'
import { joinPath } from '../core/index.ts'
import { takeBundleSlot } from './bundle-slots.ts'
import type { BundleSlots } from './bundle-slots.ts'
import { count } from './count.ts'
import { failedSetUps } from './failed-set-ups.ts'
import { nameBundlesInJunit } from './junit-properties.ts'
import { RunGuard } from './run-guard.ts'
import type { Failure, ReportedRun } from './run-report.ts'
import { selectionOf } from './selection.ts'
import type { Selection } from './selection.ts'

export interface FaultlineReporterOptions {
  readonly root: string
  /** The folder of the tests. */
  readonly testRoot: string
  readonly bundles: string
  readonly bundleSlots: BundleSlots
  /** Folder of the workers' journals. */
  readonly journals: string
  readonly isReplay: boolean
  readonly requiresLlm: boolean
  readonly redact: readonly RegExp[]
  /** Where projects are kept, if any are. */
  readonly keptProjects: string | null
}

/** Tells at the end of a run which bundles there are, what failed after its test had passed, and what was left out. */
export class FaultlineReporter implements Reporter {
  readonly #options: FaultlineReporterOptions
  readonly #suiteRunId: string
  readonly #guard: RunGuard
  #vitest: Vitest | undefined

  constructor(options: FaultlineReporterOptions) {
    this.#options = options
    // Not the process id: those of containers in which shards run side by side are often the same.
    this.#suiteRunId = new Date().toISOString().replaceAll(/[-:]/g, '').slice(0, 15) + `-${randomInt(1e6)}`
    this.#guard = new RunGuard(options.journals, () => this.#run)
  }

  /** Folder of this run's bundles, relative to the root. */
  get folder(): string {
    return this.#options.isReplay ? this.#options.bundles : joinPath(this.#options.bundles, this.#suiteRunId)
  }

  get bundleSlots(): BundleSlots {
    return this.#options.bundleSlots
  }

  get journals(): string {
    return this.#options.journals
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
  }

  /** In watch mode every run may leave its bundles. */
  onTestRunStart(): void {
    rmSync(this.#options.bundleSlots.folder, { recursive: true, force: true })
    this.#guard.begin()
  }

  async onTestCaseResult(test: TestCase): Promise<void> {
    const bundles = failuresOf(test).flatMap(({ bundle }) => bundle ?? [])
    await nameBundlesInJunit(test, bundles, this.#vitest)
  }

  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const told = tests.flatMap(failuresOf)
    const known = new Set(told.map(({ bundle }) => bundle))
    // A worker that dies takes along what it had not reported yet.
    const untold = (await this.#guard.failures()).filter(
      ({ bundle }) => bundle === null || !known.has(bundle),
    )
    this.#guard.end()
    const failures = [...told, ...untold, ...(await this.#furtherFailures(modules, told))]
    const selection = selectionOf(tests, this.#vitest?.config.tagsFilter ?? [])
    if (failures.length > 0) {
      const { reportFailures } = await import('./run-report.ts')
      const withoutModel = this.#options.requiresLlm ? 0 : selection.withoutModel
      this.#vitest?.logger.log(await reportFailures(this.#run, failures, withoutModel))
    }
    this.#reportKeptProjects()
    this.#reportSelection(selection)
  }

  get #run(): ReportedRun {
    const { root, bundles, bundleSlots, isReplay } = this.#options
    return {
      suiteRunId: this.#suiteRunId,
      root,
      folder: this.folder,
      allRuns: isReplay ? null : bundles,
      maxBundles: bundleSlots.max,
    }
  }

  /** Those that no test tells of. Where reports are merged, each shard has left its own. */
  async #furtherFailures(
    modules: readonly TestModule[],
    told: readonly Failure[],
  ): Promise<readonly Failure[]> {
    if (this.#vitest?.config.mergeReports === undefined) return this.#failuresOfSetUp(modules)
    const { failuresOfRuns } = await import('./merged-runs.ts')
    return failuresOfRuns(this.#options.root, modules, told)
  }

  async #failuresOfSetUp(modules: readonly TestModule[]): Promise<readonly Failure[]> {
    const { root, testRoot, redact, bundleSlots } = this.#options
    const place = { root, testRoot, redact, bundles: this.folder, vitest: this.#vitest?.version ?? null }
    const failures: Failure[] = []
    const failedOnes = failedSetUps(modules)
    if (failedOnes.length === 0) return failures
    const { leaveSetUpBundle } = await import('./set-up-bundle.ts')
    for (const failed of failedOnes) {
      const bundle = takeBundleSlot(bundleSlots) ? await leaveSetUpBundle(failed, place) : null
      failures.push({ bundle, reason: 'set-up', flaky: false })
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
  #reportSelection({ withoutModel, askedForModel, nothingRan }: Selection): void {
    const config = this.#vitest?.config
    const filters = config?.tagsFilter ?? []
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
  return (test.meta().faultline?.failedTries ?? []).map(({ bundle, reason }) => ({ bundle, reason, flaky }))
}
