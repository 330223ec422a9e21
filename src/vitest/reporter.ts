import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Reporter, SerializedError, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node'
import { createDigest, createNodeFiles, processVersions } from '../adapters/node/index.ts'
import { bundleFolderName, createRedactor, readBundle, renderSummary, writeBundle } from '../bundle/index.ts'
import { joinPath } from '../core/index.ts'
import { bundleErrors } from './failure.ts'

export interface FaultlineReporterOptions {
  readonly root: string
  readonly bundles: string
  readonly isReplay: boolean
  readonly requiresLlm: boolean
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

  onInit(vitest: Vitest): void {
    this.#vitest = vitest
  }

  async onTestRunEnd(modules: readonly TestModule[]): Promise<void> {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const bundles = [...new Set(tests.flatMap(bundlesOf)), ...(await this.#bundlesOfSetUp(modules))]
    if (bundles.length > 0) await this.#report(bundles)
    this.#reportSkippedModels(tests)
  }

  async #report(bundles: readonly string[]): Promise<void> {
    const { root } = this.#options
    const lines = ['', ' faultline', '']
    for (const [index, bundle] of bundles.entries()) {
      if (index < shownInFull)
        lines.push(...(await this.#summary(bundle)).split('\n').map((line) => `  ${line}`), '')
      else lines.push(`  npx faultline show ${this.#shown(bundle)}`)
    }
    this.#vitest?.logger.log(lines.join('\n'))
    const index = { suiteRunId: this.#suiteRunId, bundles }
    mkdirSync(join(root, this.folder), { recursive: true })
    writeFileSync(join(root, this.folder, 'run.json'), `${JSON.stringify(index, null, 2)}\n`)
    if (!this.#options.isReplay) {
      writeFileSync(join(root, this.#options.bundles, 'latest.json'), `${JSON.stringify(index, null, 2)}\n`)
    }
  }

  async #summary(bundle: string): Promise<string> {
    const files = createNodeFiles(this.#options.root)
    return renderSummary(await readBundle(files, bundle))
  }

  #shown(bundle: string): string {
    return relative(process.cwd(), join(this.#options.root, bundle)) || '.'
  }

  /** A failing `beforeAll` skips its tests and runs no fixture: nobody else can tell. */
  async #bundlesOfSetUp(modules: readonly TestModule[]): Promise<readonly string[]> {
    const bundles: string[] = []
    for (const module of modules) {
      for (const failed of [module, ...module.children.allSuites()]) {
        const errors = failed.errors()
        if (errors.length > 0) bundles.push(await this.#leaveSetUpBundle(module, failed, errors))
      }
    }
    return bundles
  }

  async #leaveSetUpBundle(
    module: TestModule,
    failed: TestModule | TestSuite,
    errors: readonly SerializedError[],
  ): Promise<string> {
    const { root } = this.#options
    const file = module.relativeModuleId.replaceAll('\\', '/')
    const fullName = failed.type === 'suite' ? failed.fullName : file
    const digest = createDigest()
    const folder = joinPath(
      this.folder,
      bundleFolderName(
        { slugSource: `${fullName} set-up`, hashSource: `${file} > ${fullName}`, attempt: 1 },
        digest,
      ),
    )
    await writeBundle(
      {
        kind: 'test',
        reason: 'set-up',
        test: {
          project: module.project.name === '' ? null : module.project.name,
          file,
          fullName,
          line: null,
          tags: [],
          timeoutMs: null,
          attempt: 1,
          repeat: null,
        },
        errors: bundleErrors(errors),
        sessions: [],
        versions: processVersions(this.#vitest?.version ?? null),
        replay: { command: `npx faultline replay ${folder}`, env: null },
      },
      {
        files: createNodeFiles(root),
        folder,
        digest,
        redact: createRedactor({ environment: process.env, roots: { '<root>': root } }),
      },
    )
    return folder
  }

  /** Asking for tests that need a model without opting in must not look like success. */
  #reportSkippedModels(tests: readonly TestCase[]): void {
    if (this.#options.requiresLlm) return
    const skipped = tests.filter(
      (test) => test.tags.includes('requires_llm') && test.result().state === 'skipped',
    )
    if (skipped.length === 0) return
    const count = `${skipped.length} requires_llm test${skipped.length === 1 ? '' : 's'} skipped`
    this.#vitest?.logger.log(`\n faultline  ${count}; set FAULTLINE_REQUIRES_LLM=1 to run them`)
    const asked =
      this.#vitest?.config.tagsFilter?.some((filter) => /(?<![!\w])requires_llm\b/.test(filter)) ?? false
    if (!asked) return
    this.#vitest?.logger.error(' faultline  requires_llm was asked for and not one could run: this run fails')
    process.exitCode = 1
  }
}

function bundlesOf(test: TestCase): readonly string[] {
  const attempts = test.meta().faultline?.attempts ?? {}
  return Object.values(attempts).flatMap(({ bundle }) => (bundle === null ? [] : [bundle]))
}
