import { Command } from 'commander'
import { createDigest, createNodeFiles, createSystemOwner } from '../../adapters/node/index.ts'
import { createStateKeeper } from '../../engine/index.ts'
import { runIdOrLast, runReader } from '../../harness/index.ts'
import { exitCodes } from '../exit-codes.ts'
import { print } from '../output.ts'
import { renderDiagnostics } from '../render-state.ts'
import { directoriesFrom, stateDirectoryOption } from '../state-directory.ts'
import type { StateDirectoryOption } from '../state-directory.ts'

export function diagnosticsCommand(): Command {
  return new Command('diagnostics')
    .description('Say how a run is, from what is on disk: exit code 0 healthy, 1 not.')
    .argument('[runId]', 'default: the last run')
    .addOption(stateDirectoryOption())
    .option('--json', 'print it as JSON')
    .action(
      async (named: string | undefined, options: StateDirectoryOption & { readonly json?: boolean }) => {
        const directories = directoriesFrom(options)
        const runId = await runIdOrLast(runReader(process.cwd(), directories), named)
        const keeper = createStateKeeper({
          files: createNodeFiles(process.cwd()),
          digest: createDigest(),
          owner: createSystemOwner(),
          directories,
        })
        const diagnostics = await keeper.diagnose(runId, Date.now())
        print(options.json === true ? JSON.stringify(diagnostics, null, 2) : renderDiagnostics(diagnostics))
        process.exitCode = diagnostics.checks.every(({ healthy }) => healthy)
          ? exitCodes.good
          : exitCodes.failed
      },
    )
}
