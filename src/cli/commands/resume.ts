import { Command, InvalidArgumentError } from 'commander'
import { inputOption, readMembers } from '../input-option.ts'
import { stateDirectoryOption } from '../state-directory.ts'
import type { StateDirectoryOption } from '../state-directory.ts'
import { takeUpRun } from '../take-up-run.ts'

interface ResumeOptions extends StateDirectoryOption {
  readonly from?: 'loop-target'
  readonly artifacts?: 'refuse' | 'rebuild' | 'accept'
  readonly definition?: 'refuse' | 'current'
  readonly takeOver?: boolean
  readonly agents?: string
  readonly input: readonly string[]
}

export function resumeCommand(): Command {
  return new Command('resume')
    .description('Go on with a run that failed or was interrupted; completed steps do not run again.')
    .argument('[runId]', 'default: the last run')
    .option(
      '--from <place>',
      'loop-target: after a failed gate, start where its on_fail points',
      oneOf(['loop-target']),
    )
    .option(
      '--artifacts <what>',
      'for changed artifacts: refuse, rebuild or accept',
      oneOf(['refuse', 'rebuild', 'accept']),
    )
    .option(
      '--definition <what>',
      'for a changed workflow file: refuse, or current to go on under what it says now',
      oneOf(['refuse', 'current']),
    )
    .option('--take-over', 'take the run from an owner on another host that is known to be dead')
    .addOption(stateDirectoryOption())
    .addOption(inputOption('input that the run is paused for'))
    .option('--agents <module>', 'agents module, in place of the one the run was started with')
    .action(async (runId: string | undefined, options: ResumeOptions) => {
      const { from, artifacts, definition, takeOver = false } = options
      const input = readMembers(options.input)
      process.exitCode = await takeUpRun(runId, options, {
        ...(from === undefined ? {} : { from }),
        ...(artifacts === undefined ? {} : { artifacts }),
        ...(definition === undefined ? {} : { definition }),
        ...(input === undefined ? {} : { input }),
        takeOver,
      })
    })
}

function oneOf<T extends string>(allowed: readonly T[]): (text: string) => T {
  return (text) => {
    const found = allowed.find((one) => one === text)
    if (found !== undefined) return found
    throw new InvalidArgumentError(`it must be ${allowed.map((one) => `'${one}'`).join(' or ')}.`)
  }
}
