import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs'
import { basename, dirname, join, normalize, resolve } from 'node:path'
import type { Plugin } from 'vitest/config'
import type { TestProject, Vitest } from 'vitest/node'
import {
  createTemporaryRoot,
  packageVersion,
  parseReplayEnvironment,
  replayVariable,
} from '../adapters/node/index.ts'
import { FaultlineError, formatDuration } from '../core/index.ts'
import { RunMark } from './merged-runs.ts'
import { FaultlineReporter } from './reporter.ts'
import type { FaultlineReporterOptions } from './reporter.ts'
import { ownKey } from './secret-fingerprints.ts'
import { defaultBundles, defaultLimits } from './settings.ts'
import type { FaultlineLimits, FaultlineSettings } from './settings.ts'

export interface FaultlinePluginOptions {
  /** Folder of your own project templates, relative to the root. They come before those of faultline. */
  readonly templates?: string
  /** What becomes of a test's project folder. Default `never` kept. */
  readonly keep?: 'never' | 'on-failure' | 'always'
  /** Folder of the failure bundles, relative to the root. Default `faultline-bundles`. */
  readonly bundles?: string
  /** So many failures of a run leave a bundle, the first ones; the others are counted. Default 20. */
  readonly maxBundles?: number
  /** Mixed into the seed of every test. Default 1. */
  readonly seed?: number | string
  /** Time limits, each within the next: step < workflow < test. Default 10 s, 20 s, 30 s. */
  readonly limits?: Partial<FaultlineLimits>
  /** Run tests tagged `requires_llm`. Default: only if FAULTLINE_REQUIRES_LLM=1. */
  readonly requiresLlm?: boolean
  /** What else to take out of bundles, besides secrets of the environment and the common forms. */
  readonly redact?: readonly RegExp[]
  /** A worker that does not answer for so long after the limit of its test is ended. Default 5,000. */
  readonly hangGraceMs?: number
}

/** What all projects of one Vitest share, however often they name the plugin. */
const reporters = new WeakMap<Vitest, FaultlineReporter>()

/**
 * The Vitest plugin: one line in `vitest.config.ts`.
 *
 * @example
 * export default defineConfig({ plugins: [faultline({ templates: 'templates' })] })
 * @throws FaultlineError `CONFIGURATION_INVALID` when a limit does not lie within the next, or a number is out of its range.
 */
export function faultline(options: FaultlinePluginOptions = {}): Plugin {
  const limits = checkedLimits({ ...defaultLimits, ...options.limits })
  const max = checkedMaximum(options.maxBundles ?? 20)
  const requiresLlm = options.requiresLlm ?? process.env['FAULTLINE_REQUIRES_LLM'] === '1'
  const graceMs = checkedGrace(options.hangGraceMs ?? 5_000)
  const keep = options.keep ?? 'never'
  let folders: RunFolders | undefined
  return {
    name: 'faultline',
    async config() {
      folders ??= await createRunFolders(keep !== 'never')
    },
    configureVitest({ vitest, project }) {
      const { projects, slots, journals, remove } = folders as RunFolders
      const root = vitest.config.root
      const replay = parseReplayEnvironment(process.env[replayVariable])
      const redact = options.redact ?? []
      const place =
        replay === undefined
          ? { root, bundles: options.bundles ?? defaultBundles }
          : { root: dirname(replay.output), bundles: basename(replay.output) }
      const reporter =
        reporters.get(vitest) ??
        share(vitest, {
          ...place,
          testRoot: root,
          // A replay is of one test, and needs its bundle.
          bundleSlots: { folder: slots, max: replay === undefined ? max : Number.MAX_SAFE_INTEGER },
          journals,
          isReplay: replay !== undefined,
          requiresLlm,
          redact,
          keptProjects: keep === 'never' ? null : projects,
        })
      vitest.onClose(remove)
      // What a workflow produced may be tests; in a bundle they are not the user's.
      project.config.exclude.push(`**/${posixPath(options.bundles ?? defaultBundles)}/**`)
      project.config.tags.push(
        { name: 'e2e_workflow', description: 'runs a whole workflow', timeout: limits.testMs },
        { name: 'requires_llm', description: 'calls a real model', skip: !requiresLlm },
      )
      provide(project, {
        root: place.root,
        testRoot: root,
        projectsRoot: projects,
        bundles: reporter.folder,
        bundleSlots: reporter.bundleSlots,
        journals: reporter.journals,
        // At a breakpoint nobody answers.
        silence: vitest.config.inspector.enabled ? null : { hookMs: project.config.hookTimeout, graceMs },
        templates: options.templates === undefined ? null : resolve(root, options.templates),
        keep,
        seed: options.seed ?? 1,
        limits,
        redact: redact.map(({ source, flags }) => ({ source, flags })),
        replay:
          replay === undefined ? null : { fullName: replay.fullName, file: replay.file, seed: replay.seed },
        vitest: vitest.version,
        faultline: packageVersion(),
      })
    },
  }
}

function posixPath(path: string): string {
  return normalize(path).replaceAll('\\', '/').replace(/\/$/, '')
}

/** Temporary folders of one run. */
interface RunFolders {
  /** For the projects of the tests. */
  readonly projects: string
  readonly slots: string
  readonly journals: string
  readonly remove: () => Promise<void>
}

async function createRunFolders(keepProjects: boolean): Promise<RunFolders> {
  const own = await createTemporaryRoot({ prefix: 'faultline-run' })
  const slots = join(own.folder, 'bundle-slots')
  const journals = join(own.folder, 'journals')
  if (!keepProjects) {
    const projects = join(own.folder, 'projects')
    mkdirSync(projects)
    return { projects, slots, journals, remove: () => own.remove() }
  }
  const kept = await createTemporaryRoot({ prefix: 'faultline-kept', keep: true })
  return {
    projects: kept.folder,
    slots,
    journals,
    async remove() {
      await own.remove()
      if (existsSync(kept.folder) && readdirSync(kept.folder).length === 0) rmdirSync(kept.folder)
    },
  }
}

function share(vitest: Vitest, options: FaultlineReporterOptions): FaultlineReporter {
  const reporter = new FaultlineReporter(options)
  vitest.config.reporters.unshift(new RunMark(reporter.folder))
  vitest.config.reporters.push(reporter)
  reporters.set(vitest, reporter)
  return reporter
}

function provide(project: TestProject, settings: FaultlineSettings): void {
  project.provide('faultline', settings)
  project.provide('faultlineKey', ownKey)
}

function checkedLimits(limits: FaultlineLimits): FaultlineLimits {
  const { stepMs, workflowMs, testMs } = limits
  if (stepMs > 0 && stepMs < workflowMs && workflowMs < testMs) return limits
  throw new FaultlineError(
    'CONFIGURATION_INVALID',
    `faultline({ limits }): each limit must lie within the next, step < workflow < test, so that the narrowest one speaks first; ` +
      `they are ${[stepMs, workflowMs, testMs].map(formatDuration).join(', ')}.`,
    { details: { stepMs, workflowMs, testMs } },
  )
}

function checkedMaximum(maxBundles: number): number {
  if (Number.isInteger(maxBundles) && maxBundles >= 0) return maxBundles
  throw new FaultlineError(
    'CONFIGURATION_INVALID',
    `faultline({ maxBundles }): it must be a whole number from 0; it is ${maxBundles}.`,
    { details: { maxBundles } },
  )
}

function checkedGrace(graceMs: number): number {
  if (Number.isFinite(graceMs) && graceMs >= 0) return graceMs
  throw new FaultlineError(
    'CONFIGURATION_INVALID',
    `faultline({ hangGraceMs }): it must be a number of milliseconds from 0; it is ${graceMs}.`,
    { details: { hangGraceMs: graceMs } },
  )
}
