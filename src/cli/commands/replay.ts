import { isatty } from 'node:tty'
import { Command } from 'commander'
import { checkedOutCommit } from '../../adapters/node/index.ts'
import type { Bundle } from '../../bundle/index.ts'
import { FaultlineError } from '../../core/index.ts'
import type { WorkflowEvent } from '../../trace/index.ts'
import { exitCodes } from '../exit-codes.ts'
import { bundleFolder, openBundle } from '../open-bundle.ts'
import { emphasis, print, printError } from '../output.ts'
import { replayFrom, snapshotPlace } from '../replay-from.ts'
import { replayRun } from '../replay-run.ts'
import { StepWalk, terminalWait } from '../replay-steps.ts'
import { replaySweep } from '../replay-sweep.ts'
import { replayTest } from '../replay-test.ts'
import { firstDifference, judge, recordedFrom, recordedOutcome, timesOf } from '../replay-verdict.ts'
import type { Replayed, ReplayVerdict, Times } from '../replay-verdict.ts'
import { changedSince } from '../replay-warnings.ts'

interface ReplayCommandOptions {
  readonly step?: boolean
  readonly from?: string
  readonly checkDeterminism?: boolean
  readonly agents?: string
  readonly mock?: boolean
}

export function replayCommand(): Command {
  return new Command('replay')
    .description('Make it happen again: exit code 1 reproduced, 0 passes now, 3 diverged.')
    .argument('<bundle>', 'bundle folder, or a packed bundle (.zip)')
    .option('--step', 'show it step by step; in a terminal, stop after each')
    .option('--from <snapshot>', 'before-resume-<n>: go on from the state of that snapshot')
    .option('--check-determinism', 'replay twice and compare the two')
    .option('--agents <module>', `agents for --from, or in place of those of a run`)
    .option('--mock', 'the same, with stand-ins')
    .action(async (path: string, options: ReplayCommandOptions) => {
      process.exitCode = await replay(path, options)
    })
}

async function replay(path: string, options: ReplayCommandOptions): Promise<number> {
  const folder = await bundleFolder(path)
  const bundle = await openBundle(folder)
  checkOptions(bundle, options)
  const original = originalOf(bundle, options.from)
  const once = replayer(bundle, folder, original, options)
  const replayed = await once(options.step === true)
  const verdict = judge(original.recorded, replayed, original.times)
  if (options.checkDeterminism === true) {
    const different = firstDifference(replayed, await once(false), original.times)
    if (different !== undefined) {
      print(emphasis.bad(`not deterministic: two replays ${different}`))
      return exitCodes.diverged
    }
    print('deterministic: two replays did the same')
  }
  print(sentence(verdict))
  return { reproduced: exitCodes.failed, passes: exitCodes.good, diverged: exitCodes.diverged }[verdict.kind]
}

/** What a replay is held against. */
interface Original {
  readonly recorded: Replayed
  readonly times: readonly Times[]
}

/** A replay from a snapshot is of the one session that has it, on a clock that begins anew. */
function originalOf(bundle: Bundle, from: string | undefined): Original {
  if (from === undefined) return { recorded: recordedOutcome(bundle), times: timesOf(bundle) }
  const { session, snapshot } = snapshotPlace(bundle, from)
  return { recorded: recordedFrom(session, snapshot.seq), times: ['drop'] }
}

function checkOptions({ manifest }: Bundle, { from, agents, mock }: ReplayCommandOptions): void {
  if (manifest.kind === 'run' || from !== undefined || (agents === undefined && mock === undefined)) return
  throw new FaultlineError(
    'CONFIGURATION_INVALID',
    'A test brings its own agents: --agents and --mock are for --from, and for bundles of runs.',
  )
}

/** Warnings are given the first time only. */
function replayer(
  bundle: Bundle,
  folder: string,
  original: Original,
  options: ReplayCommandOptions,
): (step: boolean) => Promise<Replayed> {
  const root = process.cwd()
  const { manifest } = bundle
  const warned = new Set<string>()
  const warn = (now: Parameters<typeof changedSince>[1]): void => {
    for (const change of changedSince(manifest.versions, now)) {
      if (!warned.has(change)) printError(`warning: ${change}`)
      warned.add(change)
    }
  }
  return async (step) => {
    warn({ commit: checkedOutCommit(root) })
    const walks = step ? walker(original) : undefined
    const onEvent = walks?.(0) ?? (() => {})
    if (options.from !== undefined) {
      warn({ node: process.versions.node })
      return replayFrom(bundle, root, { ...options, from: options.from, bundleFolder: folder, onEvent })
    }
    if (manifest.run?.sweep != null) {
      warn({ node: process.versions.node })
      return replaySweep(bundle, manifest.run.sweep, root, { ...options, onEvent })
    }
    if (manifest.kind === 'run') {
      warn({ node: process.versions.node })
      return replayRun(bundle, root, { ...options, onEvent })
    }
    const replayed = await replayTest(bundle, folder, root)
    const { versions } = replayed
    if (versions !== null) {
      const { node, vitest, template } = versions
      warn({ node, vitest, template })
    }
    // A test has a time limit, which would go on while somebody reads: what it did is shown afterwards.
    for (const [index, session] of replayed.sessions.entries()) {
      if (replayed.sessions.length > 1 && step) print(`\nsession ${index + 1}`)
      session.events.forEach(walks?.(index) ?? (() => {}))
    }
    return replayed
  }
}

/** One walk through each session. */
function walker({ recorded, times }: Original): (session: number) => (event: WorkflowEvent) => void {
  const wait = isatty(0) && isatty(2) ? terminalWait() : () => {}
  return (index) => {
    const walk = new StepWalk({
      recorded: recorded.sessions[index]?.events ?? [],
      times: times[index] ?? 'drop',
      print,
      wait,
    })
    return (event) => walk.take(event)
  }
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
