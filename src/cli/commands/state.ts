import { writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { createDigest, createNodeFiles, createSystemOwner } from '../../adapters/node/index.ts'
import { FaultlineError, messageOf, suggestion } from '../../core/index.ts'
import { createRunHistory, createStateKeeper } from '../../engine/index.ts'
import type { StateKeeper } from '../../engine/index.ts'
import { runIdOrLast, runReader } from '../../harness/index.ts'
import type { RunReader } from '../../ports/index.ts'
import type { WorkflowEvent } from '../../trace/index.ts'
import { exitCodes } from '../exit-codes.ts'
import { print } from '../output.ts'
import { renderRunList, renderValidation } from '../render-state.ts'
import type { ListedRun } from '../render-state.ts'
import { directoriesFrom, stateDirectoryOption } from '../state-directory.ts'
import type { StateDirectoryOption } from '../state-directory.ts'

interface JsonOptions extends StateDirectoryOption {
  readonly json?: boolean
}

interface RestoreOptions extends StateDirectoryOption {
  readonly at?: string
  readonly out?: string
}

export function stateCommand(): Command {
  return new Command('state')
    .description('Look after what runs have left on disk.')
    .addCommand(listCommand())
    .addCommand(validateCommand())
    .addCommand(restoreCommand())
}

function listCommand(): Command {
  return new Command('list')
    .description('List the runs, the newest first; * marks the last one.')
    .addOption(stateDirectoryOption())
    .option('--json', 'print the runs as JSON')
    .action(async (options: JsonOptions) => {
      const reader = runReader(process.cwd(), directoriesFrom(options))
      const runs = await listedRuns(reader, stateKeeper(options))
      print(options.json === true ? JSON.stringify(runs, null, 2) : renderRunList(runs, Date.now()))
    })
}

function validateCommand(): Command {
  return new Command('validate')
    .description('Check log, state, last pointer and artifacts of a run: exit code 0 good, 1 not.')
    .argument('[runId]', 'default: the last run')
    .addOption(stateDirectoryOption())
    .option('--json', 'print the findings as JSON')
    .action(async (named: string | undefined, options: JsonOptions) => {
      const report = await stateKeeper(options).validate(
        await runIdOrLast(runReader(process.cwd(), directoriesFrom(options)), named),
      )
      print(options.json === true ? JSON.stringify(report, null, 2) : renderValidation(report))
      const good = report.findings.every(({ severity }) => severity === 'note')
      process.exitCode = good ? exitCodes.good : exitCodes.failed
    })
}

function restoreCommand(): Command {
  return new Command('restore')
    .description(`Write a run's state.json anew from its log; the log is never changed.`)
    .argument('[runId]', 'default: the last run')
    .addOption(stateDirectoryOption())
    .option(
      '--at <place>',
      'the state after this event (its number, or the name of a checkpoint); needs --out',
    )
    .option('--out <file>', 'write the state to this file and leave the run as it is')
    .action(async (named: string | undefined, options: RestoreOptions) => {
      if (options.at !== undefined && options.out === undefined) {
        throw new FaultlineError(
          'CONFIGURATION_INVALID',
          `--at shows the past, which must not replace the state of the run: say where to write it with --out <file>.`,
        )
      }
      const reader = runReader(process.cwd(), directoriesFrom(options))
      const runId = await runIdOrLast(reader, named)
      if (options.out === undefined) {
        const { path, seq, status } = await stateKeeper(options).restore(runId)
        print(`restored  ${path}\nstate     after event ${seq} (${status}), as the log has it`)
      } else {
        const { events, state } = await reader.read(runId)
        const seq = options.at === undefined ? state.seq : placeOf(events, options.at)
        writeState(options.out, await stateKeeper(options).stateAt(runId, seq))
        print(`written   ${options.out}\nstate     of ${runId} after event ${seq}`)
      }
    })
}

function stateKeeper(options: StateDirectoryOption): StateKeeper {
  return createStateKeeper({
    files: createNodeFiles(process.cwd()),
    digest: createDigest(),
    owner: createSystemOwner(),
    directories: directoriesFrom(options),
  })
}

async function listedRuns(reader: RunReader, keeper: StateKeeper): Promise<readonly ListedRun[]> {
  const lastRun = await reader.last()
  const { runs, damaged, unbegun } = await createRunHistory(reader).all()
  const unreadable = [...damaged, ...unbegun].map((runId) => ({
    runId,
    status: 'damaged' as const,
    completedSteps: 0,
    steps: 0,
    startedAt: null,
    updatedAt: null,
  }))
  return Promise.all(
    [...runs, ...unreadable].map(
      async ({ runId, status, completedSteps, steps, startedAt, updatedAt }): Promise<ListedRun> => ({
        runId,
        last: runId === lastRun,
        sizeBytes: await keeper.sizeOf(runId),
        status,
        completedSteps,
        steps,
        startedAt,
        updatedAt,
      }),
    ),
  )
}

function writeState(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' })
  } catch (error) {
    throw new FaultlineError(
      'CONFIGURATION_INVALID',
      `'${file}' cannot be written: ${messageOf(error)}. Name a new file.`,
      {
        details: { path: file },
        cause: error,
      },
    )
  }
}

/** The event that a number or the name of a checkpoint stands for. */
function placeOf(events: readonly WorkflowEvent[], place: string): number {
  if (/^\d{1,15}$/.test(place)) return Number(place)
  const checkpoints = events.filter((event) => event.kind === 'checkpoint')
  const named = checkpoints.find(({ name }) => name === place)
  if (named !== undefined) return named.throughSeq
  throw new FaultlineError(
    'CONFIGURATION_INVALID',
    `The run has no checkpoint '${place}'. ${suggestion(
      place,
      checkpoints.map(({ name }) => name),
    )} The number of any event does as well; 'faultline history' shows both.`,
    { details: { place } },
  )
}
