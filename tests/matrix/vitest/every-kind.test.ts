import { join } from 'node:path'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { exits, interrupts, killed, loops, retried } from '../../e2e/vitest/lost-tests-project.ts'
import { failing, tried } from '../../e2e/vitest/kinds-project.ts'
import { publishedSchema } from '../../support/bundle-schema.ts'
import { failureBundles, testImports } from '../../support/failure-bundles.ts'
import type { FoundBundle } from '../../support/failure-bundles.ts'
import { stranger } from '../../support/stranger.ts'
import type { Stranger } from '../../support/stranger.ts'

const concurrent = `${testImports}
describe.concurrent('side by side', () => {
  for (const name of ['one', 'other']) {
    test(name, async ({ project, agents, expect }) => {
      const session = await runWorkflowStepByStep('workflows/release.yaml', { project, agents, faults: [agentError('check', { message: name })] })
      await session.runToEnd()
      expect(session).toHaveCompleted()
    })
  }
})
`

/** In their own files, as they end their worker or the run. */
const lost: Readonly<Record<string, readonly [file: string, pools: readonly string[], bundles: number]>> = {
  'a worker that is killed': [killed, ['forks'], 2],
  'a worker that ends itself': [exits, ['forks', 'threads'], 2],
  'a worker that is killed at the second try': [retried, ['forks'], 2],
  'an endless loop': [loops, ['forks', 'threads'], 1],
  'Ctrl-C': [interrupts, ['forks', 'threads'], 2],
}

/** A replay goes by the configuration, so that is where the pool stands. */
function config(pool: string, isolate: boolean): string {
  return `import { defineConfig } from 'vitest/config'
import { faultline } from 'faultline/plugin'
export default defineConfig({
  plugins: [faultline({ hangGraceMs: 1_000, maxBundles: 50 })],
  test: { pool: '${pool}', isolate: ${isolate}, maxWorkers: ${isolate ? 4 : 1}, hookTimeout: 4_000 },
})
`
}

let open: Stranger | undefined

afterEach(() => {
  open?.remove()
  open = undefined
})

function bundlesOf(
  files: Readonly<Record<string, string>>,
  pool: string,
  isolate = true,
): readonly FoundBundle[] {
  open = stranger(inject('packedPackage'), {
    'package.json': '{ "name": "stranger", "type": "module" }',
    'vitest.config.ts': config(pool, isolate),
    ...files,
  })
  const { stdout, stderr } = open.vitest()
  const bundles = failureBundles(open)
  expect(bundles.length, stdout + stderr).toBeGreaterThan(0)
  return bundles
}

/** What is wrong with each bundle: nothing, when the schema takes it and its replay says `reproduced`. */
async function problemsOf(bundles: readonly FoundBundle[]): Promise<readonly string[]> {
  const project = open as Stranger
  const wrong = publishedSchema(join(inject('packedPackage'), 'node_modules/faultline'))
  const problems: string[] = []
  const waiting = [...bundles]
  const worker = async (): Promise<void> => {
    for (let bundle = waiting.shift(); bundle !== undefined; bundle = waiting.shift()) {
      const { folder, text } = bundle
      problems.push(...wrong(JSON.parse(text('manifest.json'))).map((each) => `${folder}: ${each}`))
      const { code, stdout, stderr } = await replayed(project, folder)
      if (code !== 1 || !stdout.startsWith('reproduced: ')) {
        problems.push(`${folder}: replay ended with ${code}: ${stdout}${stderr}`)
      }
    }
  }
  await Promise.all([worker(), worker(), worker()])
  return problems
}

function replayed(
  project: Stranger,
  folder: string,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = project.start('replay', folder)
  const said = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (said.stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (code) => done({ code, ...said }))
  })
}

/** How many bundles there are of each reason. */
function reasons(bundles: readonly FoundBundle[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { manifest } of bundles) counts[manifest.reason] = (counts[manifest.reason] ?? 0) + 1
  return counts
}

const files = { 'failing.test.ts': failing, 'tried.test.ts': tried, 'concurrent.test.ts': concurrent }
const everyReason = {
  assertion: 8,
  'clean-up': 1,
  error: 5,
  'set-up': 4,
  'step-error': 1,
  timeout: 2,
  'unfired-fault': 2,
}

describe.each(['forks', 'threads'])('with %s', { timeout: 900_000 }, (pool) => {
  test('limits, hooks, fixtures, tries and tests side by side leave bundles that are valid and reproduce', async () => {
    const bundles = bundlesOf(files, pool)
    expect(reasons(bundles)).toEqual(everyReason)
    expect(await problemsOf(bundles)).toEqual([])
  })

  test('the same without isolation', async () => {
    const bundles = bundlesOf(files, pool, false)
    expect(reasons(bundles)).toEqual(everyReason)
    // One of each reason: how a test is replayed does not depend on its place in the file.
    const oneOfEach = new Map(bundles.map((bundle) => [bundle.manifest.reason, bundle]))
    expect(await problemsOf([...oneOfEach.values()])).toEqual([])
  })

  const here = Object.entries(lost).filter(([, [, pools]]) => pools.includes(pool))
  test.each(here)('%s leaves bundles that are valid and reproduce', async (_, [file, , count]) => {
    const bundles = bundlesOf({ 'lost.test.ts': file }, pool)
    expect(bundles).toHaveLength(count)
    expect(await problemsOf(bundles)).toEqual([])
  })
})
