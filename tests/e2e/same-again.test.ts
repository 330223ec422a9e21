import { expect, inject, onTestFinished, test } from 'vitest'
import { stranger } from '../support/stranger.ts'
import type { Stranger } from '../support/stranger.ts'

const config = `import { defineConfig } from 'vitest/config'
import { faultline } from 'faultline/plugin'
export default defineConfig({ plugins: [faultline({ bundles: process.env.OUT + '/bundles' })] })
`

/** Writes what each story leaves below the folder that OUT names; `order` tells in which order they were told. */
const stories = (template: string, step: string): string => `
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { normaliseEvents, normaliseState, runWorkflowStepByStep } from 'faultline'
import { agentError, gateFailure, stepTimeout, workflowTimeout } from 'faultline/fault-injection'
import { describe, expect, test as base } from 'faultline/vitest'

const test = base.override('template', '${template}')
const out = process.env.OUT + '/${template}'
mkdirSync(out, { recursive: true })

const faults = {
  'agent error': agentError('${step}'),
  'late agent error': agentError('${step}', { moment: 'after' }),
  'gate failure': gateFailure('review', { times: 'until-failed' }),
  'step time-out': stepTimeout('${step}'),
  'workflow time-out': workflowTimeout('${step}'),
}

describe('${template}', { tags: ['e2e_workflow'] }, () => {
  for (const [name, fault] of Object.entries(faults)) {
    test(name, async ({ project, agents }) => {
      appendFileSync(out + '/order', name + ', ')
      const limits = { workflowTimeoutMs: 60_000 }
      const session = await runWorkflowStepByStep('workflows/release.yaml', { project, agents, faults: [fault], limits })
      await session.runToEnd()
      if (session.state().status === 'failed') await session.resume()
      if (session.state().status === 'running') await session.runToEnd()
      const write = (kind, value) => writeFileSync(out + '/' + name + ' ' + kind, JSON.stringify(value))
      write('events', normaliseEvents(session.events()))
      write('state', normaliseState(session.state()))
      write('timeline', session.timeline().map(({ at, ...row }) => row))
      expect(session).toHaveCompleted()
    })
  }

  test('failing', async ({ project, agents }) => {
    const session = await runWorkflowStepByStep('workflows/release.yaml', { project, agents, faults: [agentError('${step}')] })
    await session.runToEnd()
    expect(session).toHaveCompleted()
  })
})
`

/**
 * Runs the suite and answers every file it has written, by path. A bundle says where it lies, in the command that replays
 * it: that place, and the digests of the pages that hold it, are no part of what happened.
 */
function suite(project: Stranger, out: string, ...args: readonly string[]): ReadonlyMap<string, string> {
  const run = project.vitest(['--sequence.shuffle', ...args], { OUT: out })
  expect([run.code, run.stdout]).toEqual([1, expect.stringContaining('2 failed | 10 passed (12)')])
  const place = /(first|second)\/bundles\/\d{8}T\d+-\d+/g
  const paths = project.files(out).filter((path) => !/\/(run|latest)\.json$/.test(path))
  return new Map(
    paths.map((path) => [
      path.replace(place, 'bundle').replace(`${out}/`, ''),
      project
        .read(path)
        .replaceAll(place, '<bundle>')
        .replace(/("path": "(?:summary.md|index.html)",\s*)"sizeBytes": \d+,\s*"sha256": "\w+"/g, '$1'),
    ]),
  )
}

test(
  'a suite told again, in another order and by more workers, leaves the same bytes',
  { timeout: 180_000 },
  () => {
    const project = stranger(inject('packedPackage'), {
      'package.json': '{ "name": "stranger", "type": "module" }',
      'vitest.config.ts': config,
      'small.test.ts': stories('small', 'test'),
      'medium.test.ts': stories('medium', 'document'),
    })
    onTestFinished(() => project.remove())
    const first = suite(project, 'first', '--sequence.seed=1', '--maxWorkers=1')
    const second = suite(project, 'second', '--sequence.seed=2', '--maxWorkers=4')

    const orders = ['small/order', 'medium/order']
    for (const order of orders) expect(second.get(order)).not.toBe(first.get(order))
    expect([...second.keys()]).toEqual([...first.keys()])
    const written = [...first.keys()].filter((path) => !orders.includes(path))
    expect(written.filter((path) => /^(small|medium)\//.test(path))).toHaveLength(2 * 5 * 3)
    expect(written.filter((path) => second.get(path) !== first.get(path))).toEqual([])
  },
)

test(
  'one correlation id goes through state, events, logs and manifest of a bundle',
  { timeout: 120_000 },
  () => {
    const project = stranger(inject('packedPackage'), {
      'package.json': '{ "name": "stranger", "type": "module" }',
      'vitest.config.ts': config,
      'medium.test.ts': stories('medium', 'document'),
    })
    onTestFinished(() => project.remove())
    project.vitest(['-t', 'failing'], { OUT: 'out' })
    const read = (name: string): string => {
      const path = project.files('out').find((file) => file.endsWith(`-a1/${name}`))
      return project.read(path ?? `a bundle with ${name}`)
    }
    const { correlationIds } = JSON.parse(read('manifest.json')) as {
      readonly correlationIds: readonly string[]
    }
    const lines = ['events.jsonl', 'logs/log.jsonl'].flatMap((name) => read(name).trimEnd().split('\n'))
    const states = ['state/before-failure.json', 'state/at-failure.json'].map(read)
    const carried = [...lines, ...states].map(
      (text) => (JSON.parse(text) as { correlationId: string }).correlationId,
    )
    expect(lines.length).toBeGreaterThan(10)
    expect([...new Set(carried)]).toEqual(correlationIds)
    expect(correlationIds).toEqual([expect.stringMatching(/^test-[0-9a-f]{8}-a1$/)])
  },
)
