import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { createNodeFiles, replayVariable } from '../adapters/node/index.ts'
import type { ReplayEnvironment } from '../adapters/node/index.ts'
import { readBundle } from '../bundle/index.ts'
import type { Bundle, BundleReason, BundleTest, BundleVersions } from '../bundle/index.ts'
import { FaultlineError } from '../core/index.ts'
import { recordedOutcome } from './replay-verdict.ts'
import type { Replayed } from './replay-verdict.ts'

/**
 * Reruns the test of a bundle in the project in `root` and reads what it leaves, which it does in a replay also when it passes.
 * The bundle itself is not touched: the replay's own goes below `replays/`.
 *
 * @throws FaultlineError `BUNDLE_INVALID` when the test cannot be found any more.
 */
export async function replayTest(bundle: Bundle, bundleFolder: string, root: string): Promise<ReplayedTest> {
  const { test, seed } = bundle.manifest
  if (test === null)
    throw new FaultlineError('BUNDLE_INVALID', `The bundle '${bundle.folder}' is not one of a test.`)
  const output = freshOutput(bundleFolder)
  const { exitCode, errors } = await runVitest(root, test.file, namePattern(test, bundle.manifest.reason), {
    output,
    file: test.file,
    fullName: test.fullName,
    seed,
  })
  const bundles = leftBundles(output)
  // A test that is tried several times leaves several, under the same names as the first time.
  const left = bundles.find((name) => name === basename(bundleFolder)) ?? bundles[0]
  if (left === undefined) {
    // Of a set-up that no longer fails nothing is left.
    if (exitCode === 0 && passedTests(output) > 0)
      return { sessions: [], error: undefined, what: '', versions: null }
    throw new FaultlineError(
      'BUNDLE_INVALID',
      `The test '${test.fullName}' of ${test.file} could not be rerun: Vitest ended with code ${exitCode} and the test left nothing. ` +
        `Check that the file and the name still exist.${errors === '' ? '' : `\n${errors}`}`,
    )
  }
  const again = await readBundle(createNodeFiles(dirname(output)), `${basename(output)}/${left}`)
  return { ...recordedOutcome(again), versions: again.manifest.versions }
}

export interface ReplayedTest extends Replayed {
  /** What the test ran on; null when it left nothing. */
  readonly versions: BundleVersions | null
}

function freshOutput(bundleFolder: string): string {
  const replays = join(bundleFolder, 'replays')
  mkdirSync(replays, { recursive: true })
  const output = join(replays, String(readdirSync(replays).length + 1))
  mkdirSync(output)
  return output
}

function leftBundles(output: string): readonly string[] {
  return readdirSync(output).filter((name) => existsSync(join(output, name, 'manifest.json')))
}

/** None when the file is still there and the name is not: Vitest is content with having skipped everything. */
function passedTests(output: string): number {
  const report = JSON.parse(readFileSync(join(output, reportFile), 'utf8')) as {
    readonly numPassedTests: number
  }
  return report.numPassedTests
}

const reportFile = 'vitest.json'

function runVitest(
  root: string,
  file: string,
  pattern: string,
  environment: ReplayEnvironment,
): Promise<{ readonly exitCode: number; readonly errors: string }> {
  const bin = vitestBin(root)
  const reporters = [
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${join(environment.output, reportFile)}`,
  ]
  const child = spawn(process.execPath, [bin, 'run', file, '-t', pattern, '--no-coverage', ...reporters], {
    cwd: root,
    env: { ...process.env, [replayVariable]: JSON.stringify(environment) },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (code) => done({ exitCode: code ?? 1, errors: errors.trim() }))
  })
}

function vitestBin(root: string): string {
  try {
    const manifest = createRequire(join(root, 'package.json')).resolve('vitest/package.json')
    const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      readonly bin: Record<string, string> | string
    }
    return join(dirname(manifest), typeof bin === 'string' ? bin : (bin['vitest'] as string))
  } catch (error) {
    throw new FaultlineError(
      'CONFIGURATION_INVALID',
      `Vitest is not installed in '${root}', so the test cannot be rerun there.`,
      {
        cause: error,
      },
    )
  }
}

/**
 * A pattern for `-t` that finds a test under Vitest 4 (names joined by a space) and 5 (by ` > `). A set-up can be that of one
 * test, or run with the tests of its suite or file.
 */
function namePattern({ file, fullName }: BundleTest, reason: BundleReason): string {
  if (reason === 'set-up' && fullName === file) return ''
  const escaped = fullName.split(' > ').map((name) => name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  return `^\\s*${escaped.join('(?: > | )')}${reason === 'set-up' ? '(?: > | |$)' : '$'}`
}
