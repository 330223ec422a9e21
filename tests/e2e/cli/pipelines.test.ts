import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { lastRun, project } from '../../support/run-folder.ts'
import type { Stranger } from '../../support/stranger.ts'
import type { StateDocument } from '../../../src/trace/index.ts'

const services = `services:
  api: { url: 'http://localhost:8000', suite: unit }
workflows:
  nightly:
    steps:
      - { type: health, service: api }
      - { type: test, service: api, parallel: true, parameters: { suite: '\${input.suite}' } }
      - { type: lint, parallel: true }
      - { type: repair, condition: on_failure }
      - { type: triage, condition: has_failures, parameters: { first: '\${test-api.output.failures[0]}' } }
      - { type: report, condition: always }
  weekly:
    steps: [{ type: audit }]
`
const agents = `export const agents = {
  health: ({ service }) => ({ url: service.settings.url }),
  test: ({ parameters, input }) => {
    if (input.broken) throw new Error('no connection')
    return { suite: parameters.suite, failures: input.failures ?? [] }
  },
  lint: () => null,
  repair: () => null,
  triage: ({ parameters }) => parameters,
  report: () => null,
  audit: () => 'done',
}
`
const files = { 'services.yaml': services, 'faultline.agents.mjs': agents }
const input = (value: object): string => JSON.stringify({ suite: 'unit', ...value })

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function stateOf(folder: Stranger): StateDocument {
  return JSON.parse(folder.read(`.workflow/runs/${lastRun(folder)}/state.json`)) as StateDocument
}

describe('a service pipeline', () => {
  test('runs by its name, and exits with 0 when nothing was found', () => {
    const folder = project(files)
    const ended = folder.faultline('run', 'services.yaml', '--workflow', 'nightly', '--input', input({}))
    expect([ended.stderr, ended.code]).toEqual(['', 0])
    expect(ended.stdout).toContain('  - triage  skipped: its condition is false\n')
    const state = stateOf(folder)
    expect([state.workflowId, state.status]).toEqual(['nightly', 'completed'])
    expect(state.launch['workflow']).toBe('nightly')
    expect(folder.faultline('run', 'services.yaml', '--workflow', 'weekly').code).toBe(0)
  })

  test('exits with 1 when failures were found, and says so', () => {
    const folder = project(files)
    const ended = folder.faultline(
      'run',
      'services.yaml',
      '--workflow',
      'nightly',
      '--input',
      input({ failures: ['a test', 'another'] }),
    )
    expect([ended.stderr, ended.code]).toEqual(['', 1])
    expect(ended.stdout).toMatch(/^completed, failures were found {2}nightly-/m)
    expect(ended.stdout).toContain('  - repair  skipped: its condition is false\n')
    const state = stateOf(folder)
    expect(state).toMatchObject({ status: 'completed', hasFailures: true })
    expect(state.steps['triage']?.output).toEqual({ first: 'a test' })
    const { stdout } = folder.faultline('status')
    expect(stdout).toContain('status   completed, failures were found')
    expect(stdout).toContain('✓ test-api    completed  (2 failures found)')
    expect(stdout).toContain('- repair      skipped  (its condition is false)')
    expect(folder.faultline('history').stdout).toContain('run completed (failures were found)')
  })

  test('that fails runs what finishes it off, and goes on by its name in another process', () => {
    const folder = project(files)
    const run = [
      'run',
      'services.yaml',
      '--workflow',
      'nightly',
      '--input',
      input({}),
      '--fault',
      'agent-error:test-api',
    ]
    const ended = folder.faultline(...run)
    expect([ended.stderr, ended.code]).toEqual(['', 1])
    expect(stateOf(folder)).toMatchObject({
      status: 'failed',
      error: { step: 'test-api' },
      steps: { repair: { status: 'completed' }, report: { status: 'completed' } },
    })
    const resumed = folder.faultline('resume')
    expect([resumed.stderr, resumed.code]).toEqual(['', 0])
    expect(stateOf(folder)).toMatchObject({
      status: 'completed',
      steps: { repair: { status: 'skipped' }, report: { status: 'completed', visit: 2 } },
    })
  })

  test('whose service is down fails with what was asked of it, why, and what to type next', async () => {
    const closed = createServer()
    const url = await listening(closed)
    await new Promise((resolve) => closed.close(resolve))
    const ask = `services: { api: { url: '${url}' } }
workflows:
  ask: { steps: [{ type: http, service: api, retries: 1, retry_delay: 0.01, parameters: { url: /health } }] }
`
    const folder = project({ 'ask.yaml': ask })
    const ended = folder.faultline('run', 'ask.yaml')
    expect([ended.stderr, ended.code]).toEqual(['', 1])
    const said = 'GET api:/health: the service refused the connection: nothing listens there. (connection)'
    expect(ended.stdout).toContain(`  ↻ http-api  ${said}; again in 10 ms\n`)
    expect(ended.stdout).toContain(`  ✗ http-api  ${said}\n`)
    expect(ended.stdout).toMatch(/^resume {2}npx faultline resume ask-/m)
  })

  test('that is in no file is told by the name of the file', () => {
    const folder = project(files)
    for (const args of [
      ['run', 'nightly.yaml'],
      ['run', 'nightly.yaml', '--workflow', 'nightly'],
    ]) {
      const ended = folder.faultline(...args)
      expect([ended.code, ended.stdout, ended.stderr]).toEqual([
        2,
        '',
        `error[FILE_NOT_FOUND]: There is no workflow file 'nightly.yaml'.\n`,
      ])
    }
    expect(folder.files()).toEqual(Object.keys(files).toSorted())
  })

  test.each([
    [['run', 'services.yaml'], `workflows holds 2 workflows: name one of 'nightly', 'weekly'`],
    [
      ['run', 'services.yaml', '--workflow', 'nightli'],
      `holds no workflow 'nightli'. Did you mean 'nightly'?`,
    ],
  ])('is asked for by name: %j', (args, said) => {
    const folder = project(files)
    const ended = folder.faultline(...args)
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain(said)
    expect(folder.files()).toEqual(Object.keys(files).toSorted())
  })
})

describe('a graph', () => {
  const orders = `id: orders
workflow_data:
  nodes:
    - { id: start, type: trigger, title: An order arrives }
    - { id: ship, type: worker, config: { url: 'https://ship.example/${'$'}{start.output.id}' } }
    - { id: refuse, type: worker }
    - { id: log, type: worker }
  connections:
    - { source: start, target: ship, condition: total > 1 }
    - { source: start, target: refuse, condition: total <= 1 }
    - { source: ship, target: log }
    - { source: refuse, target: log }
`
  const worker = 'export const agents = { worker: ({ parameters }) => parameters }\n'

  test('begins with its trigger, takes one branch, and ends behind the join', () => {
    const folder = project({ 'orders.yaml': orders, 'faultline.agents.mjs': worker })
    const ended = folder.faultline('run', 'orders.yaml', '--input', '{ "id": "o7", "total": 3 }')
    expect([ended.stderr, ended.code]).toEqual(['', 0])
    const { steps, activeConnections, definition } = stateOf(folder)
    expect(Object.entries(steps).map(([id, { status }]) => `${id} ${status}`)).toEqual(
      ['start completed', 'refuse skipped', 'ship completed', 'log completed'].toSorted(),
    )
    expect(definition.steps[0]).toMatchObject({ id: 'start', type: 'trigger', action: 'manual' })
    expect(steps['ship']?.output).toEqual({ url: 'https://ship.example/o7' })
    expect(activeConnections).toEqual([
      { from: 'start', to: 'ship' },
      { from: 'ship', to: 'log' },
    ])
  })
})
