import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, onTestFinished, test } from 'vitest'
import { parse } from 'yaml'
import { configWith, testImports } from '../../support/failure-bundles.ts'
import { fencedBlocks } from '../../support/markdown.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { stranger } from '../../support/stranger.ts'
import type { Stranger } from '../../support/stranger.ts'

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly if?: string
  readonly with?: Readonly<Record<string, string>>
}

interface Job {
  readonly strategy?: { readonly matrix: { readonly shard: readonly number[] } }
  readonly env?: Readonly<Record<string, string>>
  readonly steps: readonly Step[]
}

/** What a job left: the exit code of its first step that failed, and the summary of the job. */
interface JobResult {
  readonly code: number
  readonly summary: string
}

/** Does on this machine what GitHub does with a job of docs/ci.md, each in a clean checkout at the same place; artifacts are folders. */
function runJob(job: Job, project: Stranger, artifacts: string, shard = 0): JobResult {
  const filled = (text: string): string => text.replaceAll('${{ matrix.shard }}', String(shard))
  const summary = join(artifacts, `summary-${shard}.md`)
  let code = 0
  for (const left of ['faultline-bundles', 'reports'])
    rmSync(join(project.folder, left), { recursive: true, force: true })
  for (const { uses = '', run, with: given = {}, if: condition } of job.steps) {
    if (code !== 0 && condition === undefined) continue
    const [action] = uses.split('@')
    if (run !== undefined && run !== 'npm ci') {
      const env = Object.entries(job.env ?? {}).map(([name, value]) => [name, filled(value)] as const)
      const ended = spawnSync('sh', ['-c', filled(run).replace('npx ', '')], {
        cwd: project.folder,
        encoding: 'utf8',
        env: {
          ...process.env,
          ...Object.fromEntries(env),
          PATH: `${join(inject('packedPackage'), 'node_modules/.bin')}:${process.env['PATH']}`,
          NO_COLOR: '1',
          FAULTLINE_REPLAY: '',
          GITHUB_STEP_SUMMARY: summary,
          GITHUB_RUN_ID: '4711',
          GITHUB_REPOSITORY: 'shop/shop',
        },
      })
      code = ended.status ?? 1
    } else if (action === 'actions/upload-artifact') {
      const path = join(project.folder, given['path'] ?? '')
      if (existsSync(path)) cpSync(path, join(artifacts, filled(given['name'] ?? '')), { recursive: true })
    } else if (action === 'actions/download-artifact') {
      for (const number of [1, 2]) {
        const artifact = join(artifacts, (given['pattern'] ?? '').replace('*', String(number)))
        const path = join(project.folder, given['path'] ?? '')
        mkdirSync(path, { recursive: true })
        if (existsSync(artifact)) cpSync(artifact, path, { recursive: true })
      }
    }
  }
  return { code, summary: existsSync(summary) ? readFileSync(summary, 'utf8') : '' }
}

function checkout(): Stranger {
  const failing = (name: string): string => `${testImports}
test('${name} fails', async ({ project, agents }) => {
  const session = await runWorkflowStepByStep('workflows/release.yaml', { project, agents, faults: [agentError('review')] })
  await session.runToEnd()
  expect(session).toHaveCompleted()
})
`
  const project = stranger(inject('packedPackage'), {
    'package.json': '{ "name": "stranger", "type": "module" }',
    'vitest.config.ts': configWith(),
    'first.test.ts': failing('first').replace(`test('`, `test.override('template', 'small')('`),
    'second.test.ts': failing('second').replace(`test('`, `test.override('template', 'small')('`),
    'set-up.test.ts': `${testImports}
import { beforeAll } from 'vitest'
describe('shop', () => {
  beforeAll(() => { throw new Error('no network') })
  test('sells', () => {})
})
`,
    'dies.test.ts': `${testImports}
test('dies', () => process.kill(process.pid, 'SIGKILL'))
`,
  })
  onTestFinished(() => project.remove())
  return project
}

test(
  'the workflow of docs/ci.md carries bundles from shards to report, summary and replay',
  { timeout: 240_000 },
  () => {
    const [block] = fencedBlocks('docs/ci.md').filter(({ language }) => language === 'yaml')
    const { jobs } = parse(block?.text ?? '') as {
      readonly jobs: { readonly test: Job; readonly report: Job }
    }
    const artifacts = temporaryFolder()
    const project = checkout()
    const shards = (jobs.test.strategy?.matrix.shard ?? []).map((shard) =>
      runJob(jobs.test, project, artifacts, shard),
    )
    expect(shards.map(({ code }) => code)).toEqual([1, 1])
    for (const [index, { summary }] of shards.entries()) {
      expect(summary).toMatch(/\n## Failure bundles\n\n+\d failure bundles? in faultline-bundles\//)
      expect(summary).toMatch(
        new RegExp(
          '```\ngh run download 4711 --repo shop/shop --name faultline-bundles-' +
            `${index + 1} --dir faultline-bundles\nnpx faultline replay (faultline-bundles/\\S+)\n` +
            '```\n',
        ),
      )
    }

    const report = runJob(jobs.report, project, artifacts)
    expect(report.code).toBe(1)
    const failed = (summary: string): readonly string[] =>
      [...summary.matchAll(/^FAILED (.+)$/gm)].map(([, name]) => name ?? '').toSorted()
    expect(failed(shards.map(({ summary }) => summary).join('\n'))).toEqual([
      'dies',
      'first fails',
      'second fails',
      'shop',
    ])
    // What no test lived to tell is in the report too.
    expect(report.summary).toMatch(/4 failure bundles in /)
    expect(failed(report.summary)).toEqual(['dies', 'first fails', 'second fails', 'shop'])
    const { reasons } = JSON.parse(project.read('faultline-bundles/latest.json')) as {
      readonly reasons: Readonly<Record<string, string>>
    }
    expect(Object.values(reasons).toSorted()).toEqual(['assertion', 'assertion', 'set-up', 'worker-died'])
    const junit = readFileSync(join(artifacts, 'junit'), 'utf8')
    const named = [...junit.matchAll(/<property name="faultline\.bundle" value="([^"]+)">/g)].map(
      ([, path]) => path ?? '',
    )
    expect(named).toHaveLength(2)
    expect(
      junit.match(/name="faultline\.replay" value="npx faultline replay faultline-bundles\//g),
    ).toHaveLength(2)
    for (const path of Object.keys(reasons)) {
      expect(project.files(path)).toContain(`${path}/manifest.json`)
      const replay = project.faultline('replay', path)
      expect([replay.code, replay.stdout], replay.stderr).toEqual([1, expect.stringMatching(/^reproduced: /)])
    }
  },
)
