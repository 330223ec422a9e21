import { mkdirSync, writeFileSync } from 'node:fs'
import { Command, InvalidArgumentError, Option } from 'commander'
import { monotonicMs } from '../../adapters/node/index.ts'
import { FaultlineError } from '../../core/index.ts'
import { loadWorkflow, workflowFromText } from '../../engine/index.ts'
import {
  faultFamilies,
  mergeSweepReports,
  sweepFaults,
  sweepReportJson,
  sweepTiers,
} from '../../harness/index.ts'
import type {
  FaultFamily,
  SweepOperator,
  SweepOptions,
  SweepReport,
  SweepShard,
  SweepTier,
} from '../../harness/index.ts'
import { chooseAgents, loadAgents } from '../agents-module.ts'
import { exitCodes } from '../exit-codes.ts'
import { emphasis, print, printError } from '../output.ts'
import { inputOption, readMembers, readRunInput } from '../input-option.ts'
import { readTextFile } from '../read-text-file.ts'
import { renderHeatMap } from '../sweep/heat-map.ts'
import { leaveSweepBundles } from '../sweep/leave-bundles.ts'
import { copyOfProject } from '../sweep/project-copy.ts'
import { progressWords, renderSweep, verdictLine } from '../sweep/render-sweep.ts'
import { earlierReport, readReport, writeReport } from '../sweep/report-file.ts'
import { seedOf } from '../run-options.ts'

interface SweepCommandOptions {
  readonly mock?: boolean
  readonly agents?: string
  readonly seed?: number | string
  readonly pass?: readonly string[]
  readonly provide?: readonly string[]
  readonly input: readonly string[]
  readonly tier: SweepTier
  readonly family?: readonly FaultFamily[]
  readonly budget?: number
  readonly rememberAgents?: boolean
  readonly shard?: SweepShard
  readonly report?: string
  readonly corpus?: string
  readonly html?: string
  readonly json?: boolean
  readonly merge?: boolean
}

/** How long a sweep that is killed may have gone on without having written its report. */
const saveEveryMs = 2_000

export function sweepCommand(): Command {
  return new Command('sweep')
    .description(
      'Try every single fault of a workflow on a simulated disk and judge what becomes of each run.',
    )
    .argument('<file...>', 'workflow definition (YAML or JSON); with --merge the reports of its parts')
    .option('--mock', 'let stand-ins produce every declared artifact')
    .option('--agents <module>', `module that exports 'agents' (default: faultline.agents.*)`)
    .option('--seed <seed>', 'seed of everything random', seedOf)
    .addOption(inputOption('input of the run'))
    .option('--pass <step...>', 'let the gates of these steps pass whenever they wait for a person')
    .option('--provide <input...>', 'give a run that is paused this input: name=value, JSON or @file')
    .addOption(new Option('--tier <tier>', 'how much to try').choices(sweepTiers).default('full'))
    .addOption(new Option('--family <family...>', 'only these families of faults').choices(faultFamilies))
    .option('--budget <duration>', 'stop after the first point that ends later: 500ms, 60s, 5m', budgetOf)
    .option('--shard <n/of>', 'only this share of the points: 2/4', shardOf)
    .option(
      '--remember-agents',
      'call no agent again for what it has been told before, but for one call in twenty',
    )
    .option('--report <file>', 'write the report there (JSON), and go on from it when it is not complete')
    .option('--corpus <folder>', 'plans that broke something before: run first, and added to')
    .option('--html <file>', 'write a page with every point and every fault there')
    .option('--json', 'print the report as JSON')
    .option('--merge', 'put the reports of shares or parts together instead of sweeping')
    .action(async (files: readonly string[], options: SweepCommandOptions) => {
      process.exitCode = conclude(
        options.merge === true ? mergeSweepReports(files.map(readReport)) : await sweep(only(files), options),
        options,
      )
    })
}

async function sweep(file: string, options: SweepCommandOptions): Promise<SweepReport> {
  const folder = process.cwd()
  const { tier, family, shard, seed, budget, report, corpus } = options
  const workflow = workflowFromText(readTextFile(file, 'workflow file'), file)
  const { definition } = await loadWorkflow(workflow)
  const agents = await loadAgents(folder, chooseAgents(folder, options, definition))
  const earlier = earlierReport(report)
  if (earlier?.complete === true) {
    printError(`'${report}' is complete already: remove it to sweep again`)
    return earlier
  }
  const written = [report, options.html, corpus].flatMap((path) => (path === undefined ? [] : [path]))
  const project = await copyOfProject(folder, written)
  const operator = operatorOf(options)
  if (corpus !== undefined) mkdirSync(corpus, { recursive: true })
  const settings: SweepOptions = {
    project,
    input: readRunInput(options.input),
    tier,
    ...(agents === undefined ? {} : { agents }),
    ...(seed === undefined ? {} : { seed }),
    ...(options.rememberAgents === true ? { rememberAgents: true } : {}),
    ...(family === undefined ? {} : { families: family }),
    ...(shard === undefined ? {} : { shard }),
    ...(earlier === undefined ? {} : { continues: earlier }),
    ...(corpus === undefined ? {} : { corpus }),
    ...(operator === undefined ? {} : { operator }),
  }
  const watch = { begun: monotonicMs(), savedAt: -Infinity }
  const swept = await sweepFaults(workflow, {
    ...settings,
    onProgress: (progress) => printError(progressWords(progress)),
    afterPoint(soFar) {
      const now = monotonicMs()
      if (report !== undefined && now - watch.savedAt >= saveEveryMs) {
        writeReport(report, soFar())
        watch.savedAt = now
      }
      return budget !== undefined && now - watch.begun >= budget ? 'stop' : undefined
    },
  })
  const request = { workflowFile: file, agents: options.agents, mock: options.mock === true, operator }
  for (const block of await leaveSweepBundles(project, request)) printError(`\n${block}`)
  return swept
}

function conclude(report: SweepReport, options: SweepCommandOptions): number {
  if (options.report !== undefined) writeReport(options.report, report)
  if (options.html !== undefined) writeFileSync(options.html, renderHeatMap(report))
  const good = report.findings.length === 0
  if (options.json === true) process.stdout.write(sweepReportJson(report))
  else {
    print(renderSweep(report))
    print((good ? emphasis.good : emphasis.bad)(verdictLine(report)))
  }
  return good ? exitCodes.good : exitCodes.failed
}

/** What people do for a run that waits, if anything was said about that. */
function operatorOf({ pass = [], provide = [] }: SweepCommandOptions): SweepOperator | undefined {
  const input = readMembers(provide)
  if (pass.length === 0 && input === undefined) return undefined
  const answers = Object.fromEntries(pass.map((step) => [step, true] as const))
  return { answers, ...(input === undefined ? {} : { input }) }
}

function only(files: readonly string[]): string {
  const [file, another] = files
  if (file !== undefined && another === undefined) return file
  throw new FaultlineError(
    'CONFIGURATION_INVALID',
    `A sweep is of one workflow, and ${files.length} files were named. With --merge they are reports.`,
  )
}

function budgetOf(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? []
  const factor = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[unit ?? '']
  if (count === undefined || factor === undefined)
    throw new InvalidArgumentError('it must be like 500ms, 60s or 5m.')
  return Number(count) * factor
}

function shardOf(text: string): SweepShard {
  const [, index = 0, of = 0] = (/^(\d+)\/(\d+)$/.exec(text) ?? []).map(Number)
  if (index >= 1 && index <= of) return { index, of }
  throw new InvalidArgumentError('it must be like 2/4: which share, of how many.')
}
