import { describe, expect, test } from 'vitest'
import { messageOf } from '../../../src/core/index.ts'
import { httpFailure } from '../../../src/fault-injection/index.ts'
import type { HttpFailureFault } from '../../../src/fault-injection/index.ts'
import type { WorkflowSession } from '../../../src/harness/index.ts'
import { builtInSession, withEnvironment } from '../../support/built-in-session.ts'
import { json, loopbackService } from '../../support/loopback-service.ts'

/** One step that asks service `api`. */
const oneStep = (url: string, parameters: string, more = '', settings = ''): string => `services:
  api: { url: '${url}'${settings} }
workflows:
  flow:
    steps:
      - { id: ask, type: http, service: api, parameters: ${parameters}${more} }
`

const outputOf = (session: WorkflowSession): unknown => session.state().steps['ask']?.output

describe('an http step', () => {
  test('asks its service below its address, with its headers, and puts out what it answers', async () => {
    withEnvironment({ API_TOKEN: 'abcdef123456' })
    const { url, seen } = await loopbackService((_, response) => {
      response.setHeader('etag', '"7"').setHeader('set-cookie', 'session=1').setHeader('date', 'now')
      json(response, { id: 7, echo: 'Bearer abcdef123456' }, 201)
    })
    const { session } = await builtInSession(
      oneStep(
        `${url}/v1/`,
        `{ method: post, url: /runs?all=1, body: { name: night }, headers: { X-More: 2 } }`,
        '',
        `, headers: { Authorization: 'Bearer $\{env.API_TOKEN}', X-More: 1 }`,
      ),
    )
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    expect(seen).toMatchObject([
      {
        method: 'POST',
        path: '/v1/runs?all=1',
        body: '{"name":"night"}',
        headers: {
          authorization: 'Bearer abcdef123456',
          'x-more': '2',
          'content-type': 'application/json',
          'idempotency-key': `${session.runId}/ask#1`,
        },
      },
    ])
    expect(outputOf(session)).toEqual({
      status: 201,
      headers: { 'content-type': 'application/json', etag: '"7"' },
      body: { id: 7, echo: 'Bearer [redacted]' },
    })
    expect(JSON.stringify(session.events())).not.toContain('abcdef123456')
  })

  test('takes text for text, and what a step asked for is JSON for JSON', async () => {
    const { url } = await loopbackService(({ path }, response) => {
      if (path === '/empty') response.writeHead(204, { 'content-type': 'application/json' }).end()
      else response.setHeader('content-type', 'text/plain').end('[1]')
    })
    const bodies: unknown[] = []
    for (const parameters of ['{ url: /t }', '{ url: /t, parse: json }', '{ url: /empty, expect: 204 }']) {
      const { session } = await builtInSession(oneStep(url, parameters))
      expect(await session.runToEnd()).toEqual({ status: 'completed' })
      bodies.push((outputOf(session) as { readonly body: unknown }).body)
    }
    expect(bodies).toEqual(['[1]', [1], ''])
  })

  test('has found what a list in the answer says, which is no failure', async () => {
    const { url } = await loopbackService((_, response) => json(response, { failures: ['a', { name: 'b' }] }))
    const { session } = await builtInSession(oneStep(url, '{ url: /runs, findings: failures }'))
    expect(await session.runToEnd()).toEqual({ status: 'completed', hasFailures: true })
    expect(outputOf(session)).toMatchObject({ status: 200, failures: ['a', { name: 'b' }] })
    const without = await builtInSession(oneStep(url, '{ url: /runs, findings: problems }'))
    expect(await without.session.runToEnd()).toMatchObject({
      status: 'failed',
      error: {
        kind: 'response',
        category: 'permanent',
        message: `GET api:/runs: the answer has no list 'problems'.`,
      },
    })
  })

  test.each([
    [404, 'permanent', 1],
    [400, 'permanent', 1],
    [408, 'transient', 3],
    [429, 'transient', 3],
    [500, 'transient', 3],
    [503, 'transient', 3],
  ])(
    'that is answered %i fails with an error that is %s: %i calls with two retries',
    async (status, category, calls) => {
      const { url, seen } = await loopbackService((_, response) => json(response, { why: 'no run' }, status))
      const { session } = await builtInSession(
        oneStep(url, '{ method: PUT, url: runs }', ', retries: 2, retry_delay: 1'),
      )
      expect(await session.runToEnd()).toEqual({
        status: 'failed',
        step: 'ask',
        error: {
          kind: 'response',
          category,
          code: `HTTP_${status}`,
          message: `PUT api:/runs: the service answered ${status}, and not 2xx: {"why":"no run"}`,
        },
      })
      expect(seen).toHaveLength(calls)
      expect(new Set(seen.map(({ headers }) => headers['idempotency-key']))).toEqual(
        new Set([`${session.runId}/ask#1`]),
      )
    },
  )

  test('may expect another status', async () => {
    const { url } = await loopbackService((_, response) => json(response, null, 404))
    for (const expected of ['404', '[200, 4xx]']) {
      const { session } = await builtInSession(oneStep(url, `{ url: /x, expect: ${expected} }`))
      expect(await session.runToEnd()).toEqual({ status: 'completed' })
    }
  })

  test('has no limit but the one of its step, and tells a timeout from a lost connection', async () => {
    let closed: Promise<void> | undefined
    const silent = await loopbackService((_, __, raw) => {
      closed = new Promise((resolve) => void raw.socket.once('close', () => resolve()))
    })
    const { session } = await builtInSession(oneStep(silent.url, '{ url: /x }', ', timeout: 0.2'))
    expect(await session.runToEnd()).toMatchObject({
      status: 'failed',
      error: { kind: 'timeout', message: `Step 'ask' (attempt 1) exceeded its limit of 200 ms.` },
    })
    await closed
    const gone = await loopbackService((_, __, raw) => void raw.socket.destroy())
    const lost = await builtInSession(oneStep(gone.url, '{ url: /x }'))
    expect((await lost.session.runToEnd()).error).toMatchObject({ kind: 'connection', code: 'ECONNRESET' })
    await gone.stop()
    const refused = await builtInSession(oneStep(gone.url, '{ url: /x }', ', retries: 1'))
    expect((await refused.session.runToEnd()).error).toEqual({
      kind: 'connection',
      category: 'transient',
      code: 'ECONNREFUSED',
      message: 'GET api:/x: the service refused the connection: nothing listens there.',
    })
    expect(refused.session.events().filter(({ kind }) => kind === 'step_retry')).toHaveLength(1)
  })

  test('that is cut short in a body fails as one whose body is no JSON', async () => {
    const { url } = await loopbackService((_, response) => {
      response.setHeader('content-type', 'application/problem+json; charset=utf-8').end('{"half":')
    })
    const { session } = await builtInSession(oneStep(url, '{ url: /x }'))
    expect((await session.runToEnd()).error).toEqual({
      kind: 'response',
      category: 'transient',
      code: 'BODY_BROKEN',
      message: 'GET api:/x: the service answered with a body that is not JSON: {"half":',
    })
  })

  test.each([
    ['{}', `Step 'ask' needs the parameter 'url'.`],
    ['{ url: /x, expect: ok }', `must be a status such as 200 or '2xx', or a list of them,`],
    ['{ url: /x, parse: xml }', `must be 'auto', 'json' or 'text' and is "xml"`],
    ['{ url: /x, headers: [a] }', `must be a map of texts`],
    ['{ url: /x, method: G T }', `must be a word such as GET and is "G T"`],
    ['{ url: /x, verb: GET }', `has no parameter 'verb'`],
  ])('is refused before anything runs for the parameters %s', async (parameters, message) => {
    await expect(builtInSession(oneStep('http://x', parameters))).rejects.toMatchObject({
      code: 'DEFINITION_INVALID',
      message: expect.stringContaining(message),
    })
  })

  test('says what is wrong with its service, and asks nobody', async () => {
    const wrong: readonly (readonly [string, string])[] = [
      [oneStep('', '{ url: /x }'), `asks service 'api', which has no url`],
      [oneStep('http://x', '{ url: /x }', '', ', headers: 7'), `whose headers must be a map of texts`],
      [
        oneStep('http://x', '{ url: /x }', '', `, headers: { A: '$\{env.NOT_THERE}' }`),
        `needs the environment variable NOT_THERE, which service 'api' asks for.`,
      ],
      [
        oneStep('http://x', '{ url: /x }', '', ', circuit_breaker: { failures: 0 }'),
        `whose circuit_breaker must be true or { failures: 3, reset_after: 300 }`,
      ],
      [
        `id: f\nsteps: [{ id: ask, agent: http, parameters: { url: /x } }]\n`,
        `names no service: give a whole url`,
      ],
    ]
    for (const [text, message] of wrong) {
      const { session } = await builtInSession(text, { http: () => expect.unreachable() })
      expect([text, (await session.runToEnd()).error]).toMatchObject([
        text,
        { kind: 'validation', category: 'permanent', message: expect.stringContaining(message) },
      ])
    }
  })

  test('that cannot be sent says so, and is not tried again', async () => {
    const { session } = await builtInSession(
      oneStep('http://127.0.0.1:1', `{ url: /x, headers: { "a b": c } }`, ', retries: 2'),
    )
    expect((await session.runToEnd()).error).toMatchObject({
      kind: 'validation',
      code: 'BAD_REQUEST',
      message: expect.stringContaining('GET api:/x: the request cannot be made: '),
    })
    expect(session.events().filter(({ kind }) => kind === 'step_retry')).toHaveLength(0)
  })

  test('is refused in a simulated world, unless something stands in', async () => {
    const text = oneStep('http://127.0.0.1:1', '{ url: /x }')
    const refused = await builtInSession(text, { disk: 'simulated' })
    expect((await refused.session.runToEnd()).error?.message).toBe(
      `Step 'ask' asks 'GET api:/x', and this run lives in a simulated world, which no service can see. Run it with ` +
        `disk: 'folder', or say with the option 'http' what stands in.`,
    )
    const { session } = await builtInSession(text, {
      disk: 'simulated',
      http: ({ url }) => ({ body: { url } }),
    })
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    expect(outputOf(session)).toMatchObject({ body: { url: 'http://127.0.0.1:1/x' } })
  })
})

describe('a network fault', () => {
  const faults: readonly (readonly [NonNullable<HttpFailureFault['params']>, object, number])[] = [
    [{}, { kind: 'connection', code: 'ECONNREFUSED' }, 0],
    [{ mode: 'reset' }, { kind: 'connection', code: 'ECONNRESET' }, 1],
    [{ mode: 'stall' }, { kind: 'timeout' }, 0],
    [{ mode: 'status' }, { kind: 'response', code: 'HTTP_503' }, 0],
    [{ mode: 'status', status: 500 }, { kind: 'response', code: 'HTTP_500' }, 0],
    [{ mode: 'broken-body' }, { kind: 'response', code: 'BODY_BROKEN' }, 1],
  ]

  test.each(faults)(
    '%j strikes once, by its key, and the next attempt succeeds',
    async (params, error, reached) => {
      const { url, seen } = await loopbackService((_, response) => json(response, { good: true }))
      const text = oneStep(url, '{ method: POST, url: /runs }', ', retries: 1')
      const { session } = await builtInSession(text, { faults: [httpFailure('ask', params)] })
      expect(await session.runToEnd()).toEqual({ status: 'completed' })
      expect(
        session.events().flatMap((event) => (event.kind === 'step_retry' ? [event.error] : [])),
      ).toMatchObject([error])
      expect(seen).toHaveLength(reached + 1)
      const key = '1/ask#1@1:http.request:POST api:/runs#1'
      expect(session.faults.fired).toMatchObject([{ keys: [key] }])

      const again = await builtInSession(text, { faults: session.faults.resolved })
      expect(await again.session.runToEnd()).toEqual({ status: 'completed' })
      expect(again.session.faults.fired).toMatchObject([{ keys: [key] }])
    },
  )

  test('strikes an agent of the user too, at the request that it names', async () => {
    const { url, seen } = await loopbackService(({ path }, response) => json(response, path))
    const { session } = await builtInSession('id: f\nsteps: [{ id: work, agent: mine }]\n', {
      agents: {
        async mine({ http }) {
          await http.request({ method: 'GET', url: `${url}/a?token=1` })
          const second = http.request({ method: 'GET', url: `${url}/a` })
          return { second: await second.then(String, messageOf) }
        },
      },
      faults: [{ fault: 'http-failure', at: `1/work#1@1:http.request:GET ${url}/a#2` }],
    })
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    expect(session.state().steps['work']?.output).toEqual({
      second: `GET ${url}/a: the service refused the connection: nothing listens there.`,
    })
    expect(seen.map(({ path }) => path)).toEqual(['/a?token=1'])
  })

  test.each([
    [
      { mode: 'slow' },
      `params.mode must be one of 'refused', 'reset', 'stall', 'status', 'broken-body', and it is "slow"`,
    ],
    [{ status: 200 }, 'params.status must be a status from 400 to 599, and it is 200'],
  ])('of an unknown kind is refused before anything runs: %j', async (params, message) => {
    const faults = [{ fault: 'http-failure', at: { step: 'ask' }, params } as HttpFailureFault]
    await expect(builtInSession(oneStep('http://x', '{ url: /x }'), { faults })).rejects.toMatchObject({
      code: 'FAULT_PLAN_INVALID',
      message: expect.stringContaining(message),
    })
  })
})

describe('a service with a circuit breaker', () => {
  const guarded = (steps: string): string => `services:
  api: { url: 'http://api', circuit_breaker: { failures: 2, reset_after: 60 } }
  other: { url: 'http://other', circuit_breaker: true }
settings: {}
workflows:
  flow: { steps: [${steps}] }
`

  test('is left alone after failures in a row, tried once when its time is up, and asked again when it is well', async () => {
    const asked: string[] = []
    let well = false
    const step =
      '{ id: ask, type: http, service: api, parameters: { url: /x }, retries: 6, retry_delay: 10, timeout: 5 }'
    const { session } = await builtInSession(guarded(step), {
      http({ url }) {
        asked.push(url)
        well = asked.length >= 4
        return { status: well ? 200 : 503 }
      },
    })
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    const codes = session.events().flatMap((event) => (event.kind === 'step_retry' ? [event.error.code] : []))
    // Attempts at 0, 10 (opens until 70), 30, 70 (half-open, fails: open until 130), 150 (half-open, closes).
    expect(codes).toEqual(['HTTP_503', 'HTTP_503', 'CIRCUIT_OPEN', 'HTTP_503'])
    expect(asked).toHaveLength(4)
    const open = session
      .events()
      .find((event) => event.kind === 'step_retry' && event.error.code === 'CIRCUIT_OPEN')
    expect(open).toMatchObject({
      error: {
        kind: 'connection',
        category: 'transient',
        message: `GET api:/x: service 'api' is taken to be down and was not asked: it is tried again in 40 s.`,
      },
    })
    expect(session.logs.map(({ message }) => message)).toEqual([
      `The circuit of service 'api' has opened.`,
      `The circuit of service 'api' has opened.`,
    ])
  })

  test('shares its health among steps, and with no other service', async () => {
    const asked: string[] = []
    const step = (id: string, service: string): string =>
      `{ id: ${id}, type: http, service: ${service}, parameters: { url: /x }, parallel: true }`
    const { session } = await builtInSession(
      guarded([step('a', 'api'), step('b', 'other'), step('c', 'api')].join(', ')).replace(
        'settings: {}\n',
        '',
      ),
      {
        http({ url }) {
          asked.push(url)
          return { status: url.startsWith('http://api') ? 404 : 200 }
        },
      },
    )
    await session.runToEnd()
    expect(asked.toSorted()).toEqual(['http://api/x', 'http://api/x', 'http://other/x'])
  })
})
