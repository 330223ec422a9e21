import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { covers } from '../../../src/core/index.ts'
import { loadWorkflow, workflowFromText } from '../../../src/engine/index.ts'
import { agentError, gateFailure, stepTimeout } from '../../../src/fault-injection/index.ts'
import { assertWorkflowArtifacts, createProject, runWorkflowStepByStep } from '../../../src/harness/index.ts'
import type { Project, WorkflowSession, WorkflowSessionOptions } from '../../../src/harness/index.ts'

const templates = join(import.meta.dirname, '../../../templates')
const names = readdirSync(templates).sort()

async function project(template: string): Promise<Project> {
  return createProject({ template, storage: 'memory' })
}

async function open(on: Project, options: WorkflowSessionOptions = {}): Promise<WorkflowSession> {
  return runWorkflowStepByStep('workflows/release.yaml', { project: on, agents: on.agents, ...options })
}

async function runs(session: WorkflowSession): Promise<readonly string[]> {
  return (await session.executions()).map(({ step, visit, attempt }) => `${step}#${visit}@${attempt}`)
}

test('there are three templates', () => {
  expect(names).toEqual(['medium', 'minimal', 'small'])
})

describe.each(names)('the template %s', (name) => {
  test('says what it is for', () => {
    const notes = JSON.parse(readFileSync(join(templates, name, 'template.json'), 'utf8')) as unknown
    expect(notes).toEqual({ description: expect.stringMatching(/^.{30,200}\.$/) })
  })

  test('has an agent for every step, no other, and every file that a step requires', async () => {
    const on = await project(name)
    const text = await on.readText('workflows/release.yaml')
    const { definition } = await loadWorkflow(workflowFromText(text, 'workflows/release.yaml'))
    const agents = definition.steps.map((step) => step.agent)
    expect(Object.keys(on.agents).sort()).toEqual([...new Set(agents)].sort())
    const created = definition.steps.flatMap((step) => step.creates)
    const given = await on.list()
    const missing = definition.steps
      .flatMap((step) => step.requires)
      .filter((path) => !created.includes(path) && !given.some((file) => covers(path, file)))
    expect(missing).toEqual([])
  })

  test('completes with each step run once and leaves exactly the declared artifacts', async () => {
    const session = await open(await project(name))
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    const steps = session.state().definition.steps
    expect((await runs(session)).toSorted()).toEqual(steps.map(({ id }) => `${id}#1@1`).sort())
    const declared = steps.flatMap(({ id, creates }) =>
      creates.map((path) => [path, { producedBy: id }] as const),
    )
    await assertWorkflowArtifacts(session, Object.fromEntries(declared), { exact: true })
  })

  test('fails at each of its steps, resumes and comes to the same artifacts as an undisturbed run', async () => {
    const undisturbed = await open(await project(name))
    await undisturbed.runToEnd()
    const digests = undisturbed.state().artifacts.map(({ path, sha256 }) => [path, sha256])
    for (const { id } of undisturbed.state().definition.steps) {
      const session = await open(await project(name), { faults: [agentError(id, { times: 'until-failed' })] })
      expect([id, (await session.runToEnd()).step]).toEqual([id, id])
      await session.resume()
      expect([id, await session.runToEnd()]).toEqual([id, { status: 'completed' }])
      expect(session.state().artifacts.map(({ path, sha256 }) => [path, sha256])).toEqual(digests)
      await assertWorkflowArtifacts(session, {})
    }
  })

  test('has agents that read and write through their context only', () => {
    const source = readFileSync(join(templates, name, 'faultline.agents.mjs'), 'utf8')
    expect(source.match(/^import |\b(?:require\(|process\.|Date\b|Math\.random|setTimeout)/gm)).toBeNull()
    expect(existsSync(join(templates, name, 'package.json'))).toBe(false)
  })
})

describe('what the agents make', () => {
  test('of minimal', async () => {
    const session = await open(await project('minimal'))
    await session.runToEnd()
    expect(await session.project.readText('release/manifest.json')).toMatchInlineSnapshot(`
      "{
        "name": "notes",
        "version": "1.0.0",
        "words": 29,
        "files": [
          {
            "path": "dist/notes.md",
            "sizeBytes": 158
          }
        ]
      }
      "
    `)
  })

  test('of small', async () => {
    const session = await open(await project('small'))
    await session.runToEnd()
    expect(await session.project.readText('reports/review.md')).toMatchInlineSnapshot(`
      "# Review

      - documentation: 100 (at least 75)
      - overall: 100 (at least 80)
      "
    `)
    expect(await session.project.readText('dist/app.js')).toMatchInlineSnapshot(`
      "// temperature@2.1.0

      /** Rounds to a number of decimals. */
      export function round(value, decimals) {
        const factor = 10 ** decimals
        return Math.round(value * factor) / factor
      }

      /** Degrees Celsius in Fahrenheit. */
      export function toFahrenheit(celsius) {
        return round(celsius * 1.8 + 32, 1)
      }

      /** Degrees Fahrenheit in Celsius. */
      export function toCelsius(fahrenheit) {
        return round((fahrenheit - 32) / 1.8, 1)
      }
      "
    `)
  })

  test('of medium', async () => {
    const session = await open(await project('medium'))
    await session.runToEnd()
    expect(session.state().artifacts.map(({ path }) => path)).toMatchInlineSnapshot(`
      [
        "dist/app.js",
        "docs/api/index.md",
        "docs/api/modules/app.md",
        "docs/api/modules/cart.md",
        "docs/api/modules/money.md",
        "release/announcement.md",
        "release/package/dist/app.js",
        "release/package/docs/api/index.md",
        "release/package/docs/api/modules/app.md",
        "release/package/docs/api/modules/cart.md",
        "release/package/docs/api/modules/money.md",
        "release/package/manifest.json",
        "release/plan.json",
        "reports/lint.json",
        "reports/review.md",
        "reports/tests.json",
      ]
    `)
    expect(await session.project.readText('reports/review.md')).toMatchInlineSnapshot(`
      "# Review

      | score | is | at least |
      | --- | --- | --- |
      | style | 100 | 70 |
      | documentation | 100 | 90 |
      | overall | 93 | 80 |

      - receipt has no test
      "
    `)
    expect(await session.project.readText('docs/api/index.md')).toMatchInlineSnapshot(`
      "# shop 1.5.0

      - [src/app.js](modules/app.md): receipt
      - [src/cart.js](modules/cart.md): subtotal, total
      - [src/money.js](modules/money.md): formatCents, taxOn
      "
    `)
    expect(await session.project.readText('release/announcement.md')).toMatchInlineSnapshot(`
      "# shop 1.5.0

      - receipts show the tax
      - totals are rounded once, at the end

      5 files.
      "
    `)
  })

  test('of medium is a bundle that runs', async () => {
    const session = await open(await project('medium'))
    await session.runToEnd()
    const bundle = await session.project.readText('dist/app.js')
    const module = (await import(`data:text/javascript,${encodeURIComponent(bundle)}`)) as {
      receipt(lines: readonly unknown[], taxPercent: number): string
    }
    expect(module.receipt([{ name: 'tea', cents: 450, count: 2 }], 20).split('\n')).toEqual([
      '2 x tea  4.50',
      'tax  1.80',
      'total  10.80',
    ])
  })

  test('depends on the project: another change note is another version', async () => {
    const on = await project('medium')
    await on.write('changes/0003-break.md', 'major: amounts are whole cents\n')
    const session = await open(on)
    await session.runToEnd()
    expect(session.state().steps['announce']?.output).toEqual({ receipt: 'announced shop 2.0.0' })
  })
})

describe('the template small', () => {
  test('sends undocumented code back to build until the returns are used up', async () => {
    const on = await project('small')
    await on.write('src/round.js', 'export function round(value) {\n  return value\n}\n')
    await on.write('src/app.js', 'export function toCelsius() {}\nexport function toFahrenheit() {}\n')
    const session = await open(on)
    expect(await session.runToEnd()).toMatchObject({
      status: 'failed',
      step: 'review',
      error: { kind: 'gate' },
    })
    expect((await session.executions('build')).map(({ visit }) => visit)).toEqual([1, 2, 3, 4])
    expect(await session.executions('publish')).toEqual([])
  })

  test('comes through a gate that fails once', async () => {
    const session = await open(await project('small'), { faults: [gateFailure('review')] })
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    expect(await runs(session)).toMatchInlineSnapshot(`
      [
        "plan#1@1",
        "build#1@1",
        "test#1@1",
        "review#1@1",
        "build#2@1",
        "test#2@1",
        "review#2@1",
        "publish#1@1",
      ]
    `)
  })

  test('fails a test that calls a function which does not exist', async () => {
    const on = await project('small')
    await on.write('tests/app.json', '[{ "calls": "toKelvin", "with": [1], "expects": 1 }]')
    expect(await (await open(on)).runToEnd()).toMatchObject({
      status: 'failed',
      step: 'test',
      error: { message: 'tests call functions that do not exist: toKelvin' },
    })
  })
})

describe('the template medium', () => {
  test('fails at the review, resumes and completes without building again', async () => {
    const session = await open(await project('medium'), { faults: [agentError('review')] })
    expect(await session.runToEnd()).toMatchObject({ status: 'failed', step: 'review' })
    await session.resume()
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    expect(await session.executions('build')).toHaveLength(1)
    await assertWorkflowArtifacts(session, { 'dist/app.js': { producedBy: 'build' } })
    await session.close()
  })

  test('runs its branches side by side', async () => {
    const session = await open(await project('medium'))
    await session.runToEnd()
    const started = session.events().flatMap((event) => (event.kind === 'step_start' ? [event] : []))
    const [lint, build, document] = ['lint', 'build', 'document'].map(
      (step) => started.find((event) => event.step === step)?.at,
    )
    expect(lint).toBeTypeOf('number')
    expect([build, document]).toEqual([lint, lint])
  })

  test('tries its tests again after an error and after a timeout', async () => {
    const session = await open(await project('medium'), {
      faults: [agentError('test', { attempt: 1 }), stepTimeout('test', { attempt: 2 })],
    })
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    const outcomes = session
      .state()
      .steps['test']?.attempts.map(({ outcome, error }) => [outcome, error?.kind])
    expect(outcomes).toEqual([
      ['failed', 'exception'],
      ['failed', 'timeout'],
      ['completed', undefined],
    ])
  })

  test('announces again, under the same key, when the announcer fails after its effect', async () => {
    const session = await open(await project('medium'), {
      faults: [agentError('announce', { attempt: 1, moment: 'after' })],
    })
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    expect(session.world).toEqual([
      { name: 'announce', step: 'announce', idempotencyKey: `${session.runId}/announce#1`, count: 2 },
    ])
  })
})
