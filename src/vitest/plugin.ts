import { basename, dirname, relative, resolve } from 'node:path'
import type { Plugin } from 'vitest/config'
import type { TestProject, Vitest } from 'vitest/node'
import { createTemporaryRoot, packageVersion } from '../adapters/node/index.ts'
import type { TemporaryRoot } from '../adapters/node/index.ts'
import { parseReplayEnvironment, replayVariable } from '../bundle/index.ts'
import { FaultlineError, formatDuration } from '../core/index.ts'
import { FaultlineReporter } from './reporter.ts'
import { defaultBundles, defaultLimits } from './settings.ts'
import type { FaultlineLimits, FaultlineSettings } from './settings.ts'

export interface FaultlinePluginOptions {
  /** Folder of your own project templates, relative to the root. They come before those of faultline. */
  readonly templates?: string
  /** What becomes of a test's project folder. Default `never` kept. */
  readonly keep?: 'never' | 'on-failure' | 'always'
  /** Folder of the failure bundles, relative to the root. Default `faultline-bundles`. */
  readonly bundles?: string
  /** After so many failures a test leaves no bundle of its own. Default 20. */
  readonly maxBundles?: number
  /** Mixed into the seed of every test. Default 1. */
  readonly seed?: number | string
  /** Time limits, each within the next: step < workflow < test. Default 10 s, 20 s, 30 s. */
  readonly limits?: Partial<FaultlineLimits>
  /** Run tests tagged `requires_llm`. Default: only if FAULTLINE_REQUIRES_LLM=1. */
  readonly requiresLlm?: boolean
  /** What else to take out of bundles, besides secrets of the environment and the common forms. */
  readonly redact?: readonly RegExp[]
}

const reporters = new WeakMap<Vitest, FaultlineReporter>()

/**
 * The Vitest plugin: one line in `vitest.config.ts`.
 *
 * @example
 * export default defineConfig({ plugins: [faultline({ templates: 'templates' })] })
 * @throws FaultlineError `CONFIGURATION_INVALID` when a limit does not lie within the next.
 */
export function faultline(options: FaultlinePluginOptions = {}): Plugin {
  const limits = checkedLimits({ ...defaultLimits, ...options.limits })
  const requiresLlm = options.requiresLlm ?? process.env['FAULTLINE_REQUIRES_LLM'] === '1'
  const keep = options.keep ?? 'never'
  let projectsRoot: TemporaryRoot | undefined
  return {
    name: 'faultline',
    // Loaded natively, a package's modules are cached across test files: its hooks would run for the first file only.
    async config() {
      projectsRoot ??= await createTemporaryRoot({ prefix: 'faultline-run', keep: keep !== 'never' })
      return { test: { server: { deps: { inline: [/[\\/]faultline[\\/]/] } } } }
    },
    configureVitest({ vitest, project }) {
      const root = vitest.config.root
      const replay = parseReplayEnvironment(process.env[replayVariable])
      const reporter = reporters.get(vitest) ?? share(vitest, options, requiresLlm, replay?.output)
      vitest.onClose(async () => projectsRoot?.remove())
      project.config.tags.push(
        { name: 'e2e_workflow', description: 'runs a whole workflow', timeout: limits.testMs },
        { name: 'requires_llm', description: 'calls a real model', skip: !requiresLlm },
      )
      provide(project, {
        root: replay === undefined ? root : dirname(replay.output),
        projectsRoot: projectsRoot?.folder ?? null,
        bundles: replay === undefined ? reporter.folder : basename(replay.output),
        maxBundles: options.maxBundles ?? 20,
        templates: options.templates === undefined ? null : resolve(root, options.templates),
        keep,
        seed: options.seed ?? 1,
        limits,
        redact: (options.redact ?? []).map(({ source }) => source),
        replay:
          replay === undefined ? null : { fullName: replay.fullName, file: replay.file, seed: replay.seed },
        vitest: vitest.version,
        faultline: packageVersion(),
      })
    },
  }
}

function share(
  vitest: Vitest,
  options: FaultlinePluginOptions,
  requiresLlm: boolean,
  replayOutput: string | undefined,
): FaultlineReporter {
  const reporter = new FaultlineReporter({
    root: replayOutput === undefined ? vitest.config.root : dirname(replayOutput),
    bundles:
      replayOutput === undefined
        ? (options.bundles ?? defaultBundles)
        : relative(dirname(replayOutput), replayOutput),
    isReplay: replayOutput !== undefined,
    requiresLlm,
  })
  vitest.config.reporters.push(reporter)
  reporters.set(vitest, reporter)
  return reporter
}

function provide(project: TestProject, settings: FaultlineSettings): void {
  project.provide('faultline', settings)
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
