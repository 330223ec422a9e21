import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, inject, test } from 'vitest'
import { configWith, failureBundles, testImports } from '../../support/failure-bundles.ts'
import type { FoundBundle } from '../../support/failure-bundles.ts'
import { stranger } from '../../support/stranger.ts'
import type { Stranger } from '../../support/stranger.ts'

/** Tests that run at the same time in one file; what each of them does carries its own mark. */
const concurrent = (file: string) => `${testImports}
import { defineWorkflow } from 'faultline/engine'

const workflow = defineWorkflow({
  id: 'said',
  steps: [{ id: 'say', agent: 'sayer', creates: ['said.txt'] }, { id: 'end', agent: 'ender', depends_on: ['say'] }],
})

describe('${file}', () => {
  for (const name of ['one', 'two', 'passes']) {
    test.concurrent(name, async ({ project, correlationId, expect }) => {
      const mark = '<${file} > ' + name + '>'
      const agents = {
        async sayer({ artifacts, log, clock, correlationId: seen }) {
          await clock.sleep(20)
          log(mark)
          expect(seen).toBe(correlationId)
          await artifacts.write('said.txt', mark)
        },
        async ender() {},
      }
      const faults = [agentError('end', { message: mark })]
      const session = await runWorkflowStepByStep(workflow, { project, agents, clock: 'real', faults })
      await session.runToEnd()
      expect(await project.readText('said.txt')).toBe(mark)
      if (name !== 'passes') expect(session).toHaveCompleted()
    })
  }
})
`

let project: Stranger

afterEach(() => project.remove())

function lines(text: string): readonly { readonly correlationId?: unknown }[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { readonly correlationId?: unknown })
}

/** Where the bundle names whom it belongs to, each time as that place has it. */
function correlationIds({ manifest, text }: FoundBundle): Readonly<Record<string, readonly unknown[]>> {
  const { state } = JSON.parse(text('state/at-failure.json')) as {
    readonly state: { correlationId: unknown }
  }
  return {
    manifest: [...manifest.correlationIds, ...manifest.sessions.map(({ correlationId }) => correlationId)],
    summary: [...text('summary.md').matchAll(/^- correlation id (.*)$/gm)].map(([, id]) => id),
    state: [state.correlationId],
    events: [...new Set(lines(text('events.jsonl')).map(({ correlationId }) => correlationId))],
    logs: lines(text('logs/log.jsonl')).map(({ correlationId }) => correlationId),
  }
}

test.each([
  ['processes', ['--pool=forks']],
  ['threads', ['--pool=threads']],
  ['one process without isolation', ['--pool=forks', '--no-isolate', '--maxWorkers=1']],
  ['vm contexts', ['--pool=vmThreads']],
])('tests side by side in %s keep their runs and bundles apart', (_, args) => {
  project = stranger(inject('packedPackage'), {
    'package.json': '{ "name": "stranger", "type": "module" }',
    'vitest.config.ts': configWith(),
    'first.test.ts': concurrent('first'),
    'second.test.ts': concurrent('second'),
  })
  const { code, stdout, stderr } = project.vitest(args)
  expect([code, /^ +Tests +(.*)$/m.exec(stdout)?.[1]], stderr).toEqual([1, '4 failed | 2 passed (6)'])

  const bundles = failureBundles(project)
  expect(bundles.map(({ manifest }) => manifest.test.fullName).toSorted()).toEqual([
    'first > one',
    'first > two',
    'second > one',
    'second > two',
  ])
  const ids = new Set<unknown>()
  for (const bundle of bundles) {
    const { files, manifest, text } = bundle
    const marks = files.flatMap((path) => [...text(path).matchAll(/<(?:first|second) > \w+>/g)])
    expect(new Set(marks.map(([mark]) => mark))).toEqual(new Set([`<${manifest.test.fullName}>`]))
    expect(text('artifacts/said.txt')).toBe(`<${manifest.test.fullName}>`)

    const [id] = manifest.correlationIds
    expect(correlationIds(bundle)).toEqual({
      manifest: [id, id],
      summary: [id],
      state: [id],
      events: [id],
      logs: [id],
    })
    ids.add(id)
  }
  expect(ids.size).toBe(4)
})

test('projects of one Vitest share the report and not the bundles', () => {
  project = stranger(inject('packedPackage'), {
    'package.json': '{ "name": "stranger", "type": "module" }',
    'vitest.config.ts': `import { defineConfig } from 'vitest/config'
import { faultline } from 'faultline/plugin'
const named = (name) => ({ extends: true, test: { name } })
export default defineConfig({
  plugins: [faultline()],
  test: { projects: [named('old'), { plugins: [faultline()], test: { name: 'new' } }] },
})
`,
    'failing.test.ts': `import { beforeAll } from 'vitest'
${testImports}
test('fails', () => expect(1).toBe(2))
describe('suite', () => {
  beforeAll(() => { throw new Error('no network') })
  test('begins', () => {})
})
`,
    'killed.test.ts': `${testImports}
test('kills its worker', () => process.kill(process.pid, 'SIGKILL'))
`,
  })
  const { code, stdout } = project.vitest()
  expect(code).toBe(1)
  expect([...stdout.matchAll(/^ faultline .*$/gm)].map(([line]) => line.replace(/ in .*/, ''))).toEqual([
    ' faultline  6 failure bundles',
  ])
  expect(
    failureBundles(project)
      .map(({ manifest }) => String(manifest.test.project))
      .toSorted(),
  ).toEqual(['new', 'new', 'new', 'old', 'old', 'old'])
})

test('shards can be merged without their bundles', { timeout: 180_000 }, () => {
  const failing = (name: string) => `${testImports}
test('${name}', () => expect(1).toBe(2))
`
  project = stranger(inject('packedPackage'), {
    'package.json': '{ "name": "stranger", "type": "module" }',
    'vitest.config.ts': configWith(),
    'first.test.ts': failing('first'),
    'second.test.ts': failing('second'),
  })
  for (const shard of ['1/2', '2/2']) project.vitest(['--reporter=blob', `--shard=${shard}`])
  expect(
    failureBundles(project)
      .map(({ manifest }) => manifest.test.fullName)
      .toSorted(),
  ).toEqual(['first', 'second'])
  rmSync(join(project.folder, 'faultline-bundles'), { recursive: true })
  const { code, stdout, stderr } = project.vitest(['--merge-reports'])
  expect([code, stderr.includes('Unhandled')], stderr).toEqual([1, false])
  expect(
    [...stdout.matchAll(/^ {2}FAILED (\w+)-\S+\n {4}its bundle is not here: /gm)].map(([, name]) => name),
  ).toEqual(['first', 'second'])
})
