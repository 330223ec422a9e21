import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, relative, resolve } from 'node:path'
import { Command, InvalidArgumentError } from 'commander'
import { createNodeFiles } from '../../adapters/node/index.ts'
import type { BundleComparison } from '../../bundle/index.ts'
import { FaultlineError, isFaultlineError } from '../../core/index.ts'
import { formatSnapshotDiff } from '../../harness/index.ts'
import { bundlesFolder, bundlesIn } from '../bundles-folder.ts'
import type { PresentBundle } from '../bundles-folder.ts'
import { exitCodes } from '../exit-codes.ts'
import { bundleFolder, openBundle } from '../open-bundle.ts'
import { print } from '../output.ts'

export function bundleCommand(): Command {
  return new Command('bundle')
    .description('List, pack, compare and remove failure bundles.')
    .addCommand(listCommand())
    .addCommand(packCommand())
    .addCommand(diffCommand())
    .addCommand(gcCommand())
}

function listCommand(): Command {
  return new Command('list')
    .description('List the bundles, newest first.')
    .argument('[folder]', 'where they lie', bundlesFolder)
    .action(async (parent: string) => {
      const bundles = bundlesIn(parent)
      if (bundles.length === 0) return print(`no bundles in ${parent}`)
      for (const bundle of bundles) print(await listLine(bundle))
    })
}

async function listLine({ folder, writtenAt }: PresentBundle): Promise<string> {
  const { readManifest, titleOf } = await import('../../bundle/index.ts')
  const age = ageOf(writtenAt).padStart(4)
  try {
    const manifest = await readManifest(createNodeFiles(dirname(resolve(folder))), basename(folder))
    return `${age}  ${manifest.reason.padEnd(16)}  ${titleOf(manifest)}\n      ${folder}`
  } catch (error) {
    if (!isFaultlineError(error)) throw error
    return `${age}  ${'unreadable'.padEnd(16)}  ${error.code}\n      ${folder}`
  }
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

/** In the largest unit of which there is one: `3d`, `12h`, `0s`. */
function ageOf(writtenAt: number): string {
  const ms = Math.max(0, Date.now() - writtenAt)
  const [unit, size] = units.find(([, each]) => ms >= each) ?? units[3]
  return `${Math.floor(ms / size)}${unit}`
}

function packCommand(): Command {
  return new Command('pack')
    .description('Pack a bundle into a ZIP that can be replayed elsewhere.')
    .argument('<bundle>', 'bundle folder')
    .option('--output <file>', 'default: <name of the bundle>.zip')
    .action(async (path: string, options: { readonly output?: string }) => {
      const folder = await bundleFolder(path)
      const file = options.output ?? `${basename(folder)}.zip`
      if (existsSync(file)) {
        throw new FaultlineError(
          'FILE_WOULD_BE_OVERWRITTEN',
          `'${file}' is there already. Remove it, or name another file with --output.`,
          { details: { path: file } },
        )
      }
      const { packBundle } = await import('../../bundle/index.ts')
      const zip = await packBundle(createNodeFiles(dirname(folder)), basename(folder), basename(folder))
      writeFileSync(file, zip)
      print(`${file}  ${zip.length} bytes`)
      print(`replay  npx faultline replay ${file}`)
    })
}

function diffCommand(): Command {
  return new Command('diff')
    .description('Compare two bundles: events, states, artifacts; exit code 1 where they differ.')
    .argument('<bundle>', 'bundle folder, or a packed bundle (.zip)')
    .argument('<other>', 'what to compare it with')
    .action(async (path: string, other: string) => {
      const { compareBundles, sameBundles } = await import('../../bundle/index.ts')
      const comparison = compareBundles(await openBundle(path), await openBundle(other))
      for (const line of diffLines(comparison)) print(line)
      process.exitCode = sameBundles(comparison) ? exitCodes.good : exitCodes.failed
    })
}

const changesShown = 20

function diffLines({ errors, sessions, artifacts }: BundleComparison): readonly string[] {
  const lines = sessions.flatMap(({ events, states }, index) => {
    const which = sessions.length === 1 ? '' : ` of session ${index + 1}`
    return [
      ...(events === null ? [] : [`events${which}     ${events}`]),
      ...states.flatMap(({ snapshot, changes }) => [
        `state${which}      ${snapshot}: ${changes.length} difference${changes.length === 1 ? '' : 's'}`,
        ...formatSnapshotDiff(changes.slice(0, changesShown))
          .split('\n')
          .map((line) => `  ${line}`),
        ...(changes.length > changesShown ? [`  ... ${changes.length - changesShown} more`] : []),
      ]),
    ]
  })
  const all = [
    ...(errors === null ? [] : [`error      was ${shown(errors[0])}, now ${shown(errors[1])}`]),
    ...lines,
    ...artifacts.map(({ path, change }) => `artifact   ${change}: ${path}`),
  ]
  return all.length === 0 ? ['no differences'] : all
}

function shown(error: string | null): string {
  return error === null ? 'none' : `'${error.split('\n')[0]}'`
}

interface GcOptions {
  readonly keep?: number
  readonly olderThan?: number
  readonly dryRun?: boolean
}

function gcCommand(): Command {
  return new Command('gc')
    .description('Remove old bundles.')
    .argument('[folder]', 'where they lie', bundlesFolder)
    .option('--keep <n>', 'leave the newest <n>', wholeNumber)
    .option('--older-than <age>', 'remove only what is older: 30m, 12h, 7d', ageInMs)
    .option('--dry-run', 'say what would be removed')
    .action((parent: string, options: GcOptions) => {
      const { keep, olderThan, dryRun = false } = options
      if (keep === undefined && olderThan === undefined)
        throw new FaultlineError(
          'CONFIGURATION_INVALID',
          'Say what may go: --keep <n>, --older-than <age>, or both.',
        )
      const before = Date.now() - (olderThan ?? 0)
      const old = bundlesIn(parent)
        .slice(keep ?? 0)
        .filter(({ writtenAt }) => olderThan === undefined || writtenAt < before)
      for (const { folder } of old) {
        if (!dryRun) remove(folder)
        print(`${dryRun ? 'would remove' : 'removed'}  ${relative(process.cwd(), resolve(folder))}`)
      }
      if (old.length === 0) print('nothing to remove')
    })
}

/** With its last bundle the folder of a run goes too: the index in it would name nothing. */
function remove(bundle: string): void {
  rmSync(bundle, { recursive: true })
  const run = dirname(bundle)
  if (readdirSync(run).every((name) => name === 'run.json')) rmSync(run, { recursive: true })
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('it must be a whole number.')
}

function ageInMs(text: string): number {
  const [, number, unit] = /^(\d{1,6})([dhms])$/.exec(text) ?? []
  const size = units.find(([each]) => each === unit)?.[1]
  if (size !== undefined) return Number(number) * size
  throw new InvalidArgumentError(`it must be a number with d, h, m or s: 7d.`)
}
