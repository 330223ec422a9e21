import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { deferred } from '../../../src/core/index.ts'
import { createEngine } from '../../../src/embedding/index.ts'
import type { Agents } from '../../../src/ports/index.ts'
import { json, loopbackService } from '../../support/loopback-service.ts'
import { answerOf, servedWorkflows, textIn } from '../../support/served-workflows.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const pipelines = (url: string): string => `
services:
  api:
    url: ${url}
    health: /health
    headers: { Authorization: 'Bearer \${env.API_TOKEN}' }
workflows:
  nightly:
    name: Every night
    input_schema: { type: object, properties: { n: { type: integer } }, required: [n] }
    steps:
      - { id: look, type: look, service: api, retries: 2, retry_delay: 5, timeout: 12 }
      - { id: left, type: look, parallel: true }
      - { id: right, type: look, parallel: true, condition: on_success }
  weekly:
    steps: [{ id: only, type: look }]
`
const agents: Agents = { look: ({ step }) => ({ looked: step }) }
const nowhere = 'http://127.0.0.1:9'
const files = { 'services.yaml': pipelines(nowhere) }
const problem = (status: number, code: string): object => ({ type: 'about:blank', status, code })

describe('the life cycle', () => {
  test('lists services with their health, runs a workflow, and finds the run in its history', async () => {
    const api = await loopbackService(({ headers }, response) =>
      json(response, {}, headers.authorization === 'Bearer key-of-the-api' ? 200 : 401),
    )
    const service = await servedWorkflows({
      files: { 'services.yaml': pipelines(api.url) },
      agents,
      environment: { API_TOKEN: 'key-of-the-api' },
    })
    const { body: listed } = await service.ask('/api/services')
    expect(listed).toEqual({
      services: [
        {
          name: 'api',
          url: api.url,
          workflows: ['nightly', 'weekly'],
          health: {
            status: 'up',
            detail: 'answered with status 200',
            checkedAt: expect.any(Number),
            durationMs: expect.any(Number),
          },
        },
      ],
    })

    const started = await service.ask('/api/workflows/nightly/runs', {
      method: 'POST',
      body: { input: { n: 1 }, seed: 7, correlationId: 'night-1' },
    })
    const runId = textIn(started.body, 'runId')
    expect([started.status, started.headers.location]).toEqual([202, `/api/runs/${runId}`])
    expect(started.body).toEqual({
      runId,
      workflow: 'nightly',
      status: 'running',
      url: `/api/runs/${runId}`,
    })
    await Promise.all(service.engine.running.map(({ result }) => result))

    const { body: history } = await service.ask('/api/workflows/nightly/history')
    expect(history).toMatchObject({
      workflow: 'nightly',
      order: 'newest first',
      limit: 20,
      damaged: [],
      runs: [
        {
          runId,
          correlationId: 'night-1',
          status: 'completed',
          success: true,
          startedAt: expect.any(Number),
          finishedAt: expect.any(Number),
          durationMs: expect.any(Number),
          steps: [
            {
              step: 'look',
              durationMs: expect.any(Number),
              output: { looked: 'look' },
              attempts: [{ attempt: 1, outcome: 'completed', error: null }],
            },
            { step: 'left', status: 'completed' },
            { step: 'right', status: 'completed' },
          ],
        },
      ],
    })
    expect((await service.ask(`/api/runs/${runId}`)).body).toEqual((history['runs'] as object[])[0])
    expect((await service.ask('/api/runs')).body).toMatchObject({
      limit: 20,
      runs: [{ runId, steps: 3, completedSteps: 3 }],
    })
    expect((await service.ask('/api/workflows/weekly/history')).body).toMatchObject({ runs: [] })
  })

  test('shows runs that others have started in the same folder, and those that an earlier service has', async () => {
    const project = temporaryFolder()
    const first = await servedWorkflows({ files, agents, project })
    const runId = await first.run('weekly')
    await first.close()
    const other = createEngine({ project, agents })
    const second = await servedWorkflows({ files, agents, project })
    const { state } = await (
      await other.start({
        kind: 'workflow-source',
        value: { id: 'weekly', steps: [{ id: 'only', agent: 'look' }] },
      })
    ).result
    const { body } = await second.ask('/api/workflows/weekly/history?limit=5')
    expect(new Set((body['runs'] as { runId: string }[]).map((run) => run.runId))).toEqual(
      new Set([runId, state.runId]),
    )
  })

  test('shows a run while it moves', async () => {
    const answer = deferred<string>()
    const service = await servedWorkflows({ files, agents: { look: () => answer.promise } })
    const { body } = await service.ask('/api/workflows/weekly/runs', { method: 'POST', body: {} })
    expect((await service.ask(textIn(body, 'url'))).body).toMatchObject({
      status: 'running',
      success: null,
      finishedAt: null,
      steps: [{ step: 'only', status: 'running' }],
    })
    answer.resolve('done')
    await Promise.all(service.engine.running.map(({ result }) => result))
    expect((await service.ask(textIn(body, 'url'))).body).toMatchObject({
      status: 'completed',
      steps: [{ output: 'done' }],
    })
  })

  test('loses none of the runs that are started at once', async () => {
    const service = await servedWorkflows({ files, agents })
    const started = await Promise.all(
      Array.from({ length: 30 }, () =>
        service.ask('/api/workflows/weekly/runs', { method: 'POST', body: {} }),
      ),
    )
    expect(new Set(started.map(({ status }) => status))).toEqual(new Set([202]))
    await Promise.all(service.engine.running.map(({ result }) => result))
    const { body } = await service.ask('/api/workflows/weekly/history?limit=1000')
    expect(new Set((body['runs'] as { runId: string }[]).map(({ runId }) => runId))).toEqual(
      new Set(started.map(({ body: one }) => textIn(one, 'runId'))),
    )
  })
})

describe('GET /api/health', () => {
  test('answers that the service is well, and refuses other methods with those that it has', async () => {
    const service = await servedWorkflows({ files, agents })
    const { status, body, headers } = await service.ask('/api/health')
    expect([status, body]).toEqual([200, { status: 'ok', version: expect.any(String), workflows: 2 }])
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    expect(headers).not.toHaveProperty('access-control-allow-origin')
    const other = await service.ask('/api/health', { method: 'DELETE' })
    expect([other.status, other.headers.allow]).toEqual([405, 'GET'])
    expect((await service.ask('/api/health', { method: 'HEAD' })).status).toBe(200)
  })
})

describe('GET /api/services', () => {
  test('says of a service that is down why, and shows no secret of it', async () => {
    const service = await servedWorkflows({
      files: { 'services.yaml': pipelines('http://me:pass-word@127.0.0.1:9') },
      agents,
      environment: { API_TOKEN: 'key-of-the-api' },
    })
    const { status, text, body } = await service.ask('/api/services')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      services: [
        {
          url: 'http://me:[redacted:url-password]@127.0.0.1:9',
          health: { status: 'down', detail: expect.stringContaining('refused the connection') },
        },
      ],
    })
    expect(text).not.toMatch(/pass-word|key-of-the-api|Bearer/)
  })

  test('refuses to be written to', async () => {
    const service = await servedWorkflows({ files, agents })
    const { status, body } = await service.ask('/api/services', { method: 'POST', body: {} })
    expect([status, body]).toMatchObject([405, problem(405, 'REQUEST_INVALID')])
  })
})

describe('GET /api/workflows', () => {
  test('lists all workflows with every field of their steps', async () => {
    const service = await servedWorkflows({ files, agents })
    const { status, body } = await service.ask('/api/workflows')
    const [nightly, weekly] = body['workflows'] as Record<string, unknown>[]
    expect([status, weekly?.['name']]).toEqual([200, 'weekly'])
    expect(nightly).toMatchObject({
      name: 'nightly',
      title: 'Every night',
      file: 'services.yaml',
      dialect: 'service pipeline',
      limits: { maxConcurrentSteps: 5 },
      services: ['api'],
      inputSchema: { required: ['n'] },
    })
    const step = { agent: 'look', type: 'look', requires: [], creates: [], parameters: {}, metadata: {} }
    expect(nightly?.['steps']).toEqual([
      {
        ...step,
        id: 'look',
        service: 'api',
        condition: null,
        retries: 2,
        retryDelayMs: 5_000,
        timeoutMs: 12_000,
        dependsOn: [],
        parallel: false,
      },
      {
        ...step,
        id: 'left',
        condition: null,
        retries: 0,
        retryDelayMs: 1_000,
        timeoutMs: 30_000,
        dependsOn: ['look'],
        parallel: true,
      },
      {
        ...step,
        id: 'right',
        condition: 'on_success',
        retries: 0,
        retryDelayMs: 1_000,
        timeoutMs: 30_000,
        dependsOn: ['look'],
        parallel: true,
      },
    ])
  })

  test('shows one, and answers 404 with a suggestion for a name that it has not', async () => {
    const service = await servedWorkflows({ files, agents })
    expect((await service.ask('/api/workflows/nightly')).body).toMatchObject({
      name: 'nightly',
      steps: [{}, {}, {}],
    })
    for (const path of ['/api/workflows/nightlx', '/api/workflows/nightlx/history']) {
      const { status, body, headers } = await service.ask(path)
      expect([status, headers['content-type'], body]).toEqual([
        404,
        'application/problem+json',
        {
          type: 'about:blank',
          title: 'Not Found',
          status: 404,
          detail: `There is no workflow 'nightlx'. Did you mean 'nightly'?`,
          code: 'WORKFLOW_NOT_FOUND',
        },
      ])
    }
    expect((await service.ask('/api/workflows/__proto__')).status).toBe(404)
    expect((await service.ask('/api/workflows', { method: 'PUT', body: {} })).status).toBe(405)
  })
})

describe('POST /api/workflows/{name}/runs', () => {
  test.each([
    ['an unknown workflow', 'other', '{}', 404, 'WORKFLOW_NOT_FOUND', undefined],
    ['what is no JSON', 'weekly', '{', 400, 'REQUEST_INVALID', [{ path: '', message: 'is not valid JSON' }]],
    [
      'a key that nobody knows',
      'weekly',
      '{"inputs":1}',
      400,
      'REQUEST_INVALID',
      [{ path: '', message: 'Unrecognized key: "inputs"' }],
    ],
    [
      'an id that is none',
      'weekly',
      '{"correlationId":"../x"}',
      400,
      'REQUEST_INVALID',
      [{ path: 'correlationId', message: 'must be 1 to 128 letters, digits, "_", "-" or "."' }],
    ],
    [
      'input that does not fit',
      'nightly',
      '{"input":{"n":"many"}}',
      400,
      'INPUT_INVALID',
      [{ path: 'input.n', message: 'must be integer' }],
    ],
    [
      'no input where some is needed',
      'nightly',
      '{}',
      400,
      'INPUT_INVALID',
      [{ path: 'input', message: 'must be object' }],
    ],
    [
      'values nested without end',
      'weekly',
      `{"input":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
      400,
      'REQUEST_INVALID',
      [{ path: '', message: 'is nested deeper than 64 levels' }],
    ],
    [
      'more than a mebibyte',
      'weekly',
      JSON.stringify({ input: 'x'.repeat(1_048_576) }),
      413,
      'REQUEST_INVALID',
      undefined,
    ],
  ])('refuses %s, and starts nothing', async (_what, workflow, body, status, code, problems) => {
    const service = await servedWorkflows({ files, agents })
    const answer = await service.ask(`/api/workflows/${workflow}/runs`, { method: 'POST', body })
    expect([answer.status, answer.body['code'], answer.body['problems']]).toEqual([status, code, problems])
    expect((await service.engine.runs.all()).runs).toEqual([])
  })

  test('refuses what a form of another page could send', async () => {
    const service = await servedWorkflows({ files, agents })
    const answer = await service.ask('/api/workflows/weekly/runs', {
      method: 'POST',
      headers: { 'content-type': 'text/plain' },
      body: '{}',
    })
    expect([answer.status, answer.body]).toMatchObject([415, problem(415, 'REQUEST_INVALID')])
    expect((await service.ask('/api/workflows/weekly/runs')).status).toBe(405)
  })
})

describe('the histories', () => {
  test.each(['0', '-1', '1.5', 'all', '1001', '', '1&limit=2'])('refuse the limit %j', async (limit) => {
    const service = await servedWorkflows({ files, agents })
    for (const path of ['/api/workflows/weekly/history', '/api/runs']) {
      const { status, body } = await service.ask(`${path}?limit=${limit}`)
      expect([status, body['problems']]).toEqual([
        400,
        [{ path: 'limit', message: 'must be a whole number from 1 to 1000' }],
      ])
    }
  })

  test('are cut at the limit, the newest first', async () => {
    const service = await servedWorkflows({ files, agents })
    const all = [await service.run('weekly'), await service.run('weekly'), await service.run('weekly')]
    const idsAt = async (path: string): Promise<unknown> =>
      ((await service.ask(path)).body['runs'] as { runId: string; startedAt: number }[]).map(
        ({ runId }) => runId,
      )
    const newestFirst = await idsAt('/api/runs')
    expect(new Set(newestFirst as string[])).toEqual(new Set(all))
    expect(await idsAt('/api/workflows/weekly/history?limit=2')).toEqual(
      (newestFirst as string[]).slice(0, 2),
    )
  })
})

describe('GET /api/runs/{id}', () => {
  test('answers 404 for a run that there is not, and 400 for what is no id', async () => {
    const service = await servedWorkflows({ files, agents })
    expect((await service.ask('/api/runs/weekly-1')).body).toMatchObject(problem(404, 'RUN_NOT_FOUND'))
    for (const id of ['..%2f..%2fetc', '%2e%2e', 'a%00b', '%', `${'x'.repeat(200)}`])
      expect((await service.ask(`/api/runs/${id}`)).status).toBe(id === '%2e%2e' ? 404 : 400)
    expect(service.failures).toEqual([])
  })

  test('shows no secret of the environment', async () => {
    const service = await servedWorkflows({
      files,
      agents: { look: () => 'the key is key-of-the-api' },
      environment: { API_TOKEN: 'key-of-the-api' },
    })
    const runId = await service.run('weekly')
    for (const path of [`/api/runs/${runId}`, '/api/workflows/weekly/history'])
      expect((await service.ask(path)).text).toContain('the key is [redacted:API_TOKEN]')
  })
})

describe('what comes from elsewhere', () => {
  test.each([
    ['another origin', { origin: 'http://evil.example' }],
    ['no origin that has a name', { origin: 'null' }],
    ['another port of this machine', { origin: 'http://127.0.0.1:1' }],
    ['a page of another site', { 'sec-fetch-site': 'cross-site' }],
    ['a name that leads here', { host: 'evil.example' }],
    ['a name that begins like ours', { host: 'localhost.evil.example:80' }],
  ])('is refused: %s', async (_what, headers) => {
    const service = await servedWorkflows({ files, agents })
    const paths: readonly (readonly [path: string, method: string])[] = [
      ['/api/health', 'GET'],
      ['/api/workflows', 'GET'],
      ['/api/nothing', 'GET'],
      ['/api/workflows/weekly/runs', 'POST'],
      ['/api/workflows/weekly/runs', 'OPTIONS'],
    ]
    for (const [path, method] of paths) {
      const body = method === 'POST' ? { body: {} } : {}
      const answer = await service.ask(path, { method, headers, ...body })
      expect([path, answer.status, answer.body['code']]).toEqual([path, 403, 'REQUEST_REFUSED'])
    }
    expect((await service.engine.runs.all()).runs).toEqual([])
  })

  test('is let in when it is the own page, by any name of this machine', async () => {
    const service = await servedWorkflows({ files, agents })
    const { port, host } = new URL(service.url)
    const headers = { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }
    expect((await service.ask('/api/health', { headers })).status).toBe(200)
    for (const name of ['localhost', '127.0.0.1', '[::1]'])
      expect((await service.ask('/api/health', { headers: { host: `${name}:${port}` } })).status).toBe(200)
  })

  test('finds nobody on an address that others can reach', async () => {
    const service = await servedWorkflows({ files, agents })
    expect(new URL(service.url).hostname).toBe('127.0.0.1')
    const port = Number(new URL(service.url).port)
    const answer = await new Promise((resolve) => {
      const socket = connect({ port, host: '127.0.0.2' }, () => resolve('connected'))
      socket.on('error', ({ message }) => resolve(message))
      socket.on('connect', () => socket.destroy())
    })
    expect(answer).toContain('ECONNREFUSED')
  })
})

describe('GET /', () => {
  test('is a page that loads nothing and asks nobody else', async () => {
    const service = await servedWorkflows({ files, agents })
    const { status, text, headers } = await service.ask('/')
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=UTF-8'])
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'sha256-[\w+/=]+'; style-src 'sha256-[\w+/=]+'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    )
    expect(text.match(/(?:src|href)=/g)).toEqual(['href='])
    expect((await service.ask('/', { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(200)
    expect((await service.ask('/', { method: 'POST', body: {} })).status).toBe(405)
  })
})

describe('the service', () => {
  test('answers 404 where nothing is', async () => {
    const service = await servedWorkflows({ files, agents })
    expect((await service.ask('/api/nothing')).body).toEqual({
      ...problem(404, 'REQUEST_INVALID'),
      title: 'Not Found',
      detail: 'There is nothing at /api/nothing.',
    })
  })

  test('hides what fails inside of it, and tells whoever runs it', async () => {
    const project = temporaryFolder()
    const engine = createEngine({ project, agents })
    const broken = {
      ...engine,
      runs: { ...engine.runs, list: () => Promise.reject(new Error('secret place')) },
    }
    const service = await servedWorkflows({ files, project, engine: broken })
    const { status, text, body } = await service.ask('/api/runs')
    expect([status, body['code'], text.includes('secret place')]).toEqual([500, 'INTERNAL', false])
    expect(service.failures).toEqual([new Error('secret place')])
  })

  test('says which port is taken', async () => {
    const { url } = await servedWorkflows({ files, agents })
    const port = Number(new URL(url).port)
    await expect(servedWorkflows({ files, agents, port })).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: `Port ${port} of 127.0.0.1 cannot be used: another program listens there. Name another with --port.`,
    })
  })

  test('answers what was asked before it closes, and nothing afterwards', async () => {
    const asked = deferred<void>()
    const go = deferred<void>()
    const project = temporaryFolder()
    const engine = createEngine({ project, agents })
    const slow = {
      ...engine,
      runs: {
        ...engine.runs,
        list: async () => {
          asked.resolve()
          await go.promise
          return engine.runs.list()
        },
      },
    }
    const service = await servedWorkflows({ files, project, engine: slow })
    const answer = service.ask('/api/runs')
    await asked.promise
    const closed = service.close()
    await expect(answerOf(`${service.url}/api/health`)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    go.resolve()
    expect((await answer).status).toBe(200)
    await closed
  })
})
