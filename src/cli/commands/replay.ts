import { Command } from 'commander'
import { exitCodes } from '../exit-codes.ts'
import { openBundle } from '../open-bundle.ts'
import { emphasis, print } from '../output.ts'
import { replayRun } from '../replay-run.ts'
import { replayTest } from '../replay-test.ts'
import type { ReplayVerdict } from '../replay-run.ts'

export function replayCommand(): Command {
  return new Command('replay')
    .description('Make it happen again: exit code 1 reproduced, 0 passes now, 3 diverged.')
    .argument('<bundle>', 'bundle folder')
    .action(async (folder: string) => {
      const bundle = await openBundle(folder)
      const verdict =
        bundle.manifest.kind === 'run'
          ? await replayRun(bundle, process.cwd())
          : await replayTest(bundle, folder, process.cwd())
      print(sentence(verdict))
      process.exitCode = {
        reproduced: exitCodes.failed,
        passes: exitCodes.good,
        diverged: exitCodes.diverged,
      }[verdict.kind]
    })
}

function sentence(verdict: ReplayVerdict): string {
  switch (verdict.kind) {
    case 'reproduced':
      return emphasis.bad(`reproduced: ${verdict.what}`)
    case 'passes':
      return emphasis.good('passes now')
    case 'diverged':
      return verdict.what
  }
}
