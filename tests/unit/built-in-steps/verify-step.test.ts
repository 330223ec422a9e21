import { describe, expect, test } from 'vitest'
import type { JsonValue } from '../../../src/core/index.ts'
import { httpFailure } from '../../../src/fault-injection/index.ts'
import { builtInSession } from '../../support/built-in-session.ts'
import { json, loopbackService } from '../../support/loopback-service.ts'
import type { LoopbackService } from '../../support/loopback-service.ts'

const flow = (url: string, parameters = '{}', more = ''): string => `services:
  api: { url: '${url}' }
workflows:
  nightly:
    steps:
      - { id: first, type: http, service: api, parameters: { method: POST, url: /api/runs, findings: failures } }
      - { type: verify, service: api, parameters: ${parameters}${more} }
`

/** A service that runs tests: all of them, or those that it is to verify. */
function testService(first: readonly JsonValue[], then: JsonValue): Promise<LoopbackService> {
  return loopbackService(({ path, body }, response) => {
    if (path !== '/api/runs' && path !== '/again') json(response, { error: 'no such place' }, 404)
    else json(response, body === '' ? { failures: first } : then)
  })
}

describe('a verify step', () => {
  test('lets the service run again what had failed, and tells what is fixed, still failing and new', async () => {
    const { url, seen } = await testService(['a', { name: 'b', why: 'late' }, { id: 7 }, 'a'], {
      failures: [{ name: 'b', why: 'later' }, { test: 'd' }],
    })
    const { session } = await builtInSession(flow(url))
    expect(await session.runToEnd()).toEqual({ status: 'completed', hasFailures: true })
    expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /api/runs', 'POST /api/runs'])
    expect(JSON.parse(seen[1]?.body ?? '')).toEqual({ verify_only: true, tests: ['a', 'b', '7'] })
    expect(session.state().steps['verify-api']?.output).toEqual({
      verified: 3,
      fixed: ['a', '7'],
      stillFailing: ['b'],
      newFailures: ['d'],
      failures: [{ name: 'b', why: 'later' }, { test: 'd' }],
    })
  })

  test('goes by what the named step found, and by the place and the flag that the service has', async () => {
    const { url, seen } = await testService(['a'], { failures: [] })
    const { session } = await builtInSession(flow(url, '{ of: first, path: /again, flag: only_verify }'))
    expect(await session.runToEnd()).toEqual({ status: 'completed', hasFailures: true })
    expect(seen[1]).toMatchObject({ path: '/again', body: '{"only_verify":true,"tests":["a"]}' })
    expect(session.state().steps['verify-api']?.output).toMatchObject({ fixed: ['a'], failures: [] })
  })

  test('asks nobody when nothing had failed', async () => {
    const { url, seen } = await testService([], { failures: [] })
    const { session } = await builtInSession(flow(url))
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    expect(seen).toHaveLength(1)
    expect(session.state().steps['verify-api']?.output).toEqual({
      verified: 0,
      fixed: [],
      stillFailing: [],
      newFailures: [],
      failures: [],
    })
  })

  test.each([
    [
      '{ path: /gone }',
      { kind: 'response', category: 'permanent', code: 'HTTP_404' },
      'POST api:/gone: the service has no such place, so it cannot verify anything.',
    ],
    [
      '{ path: /again }',
      { kind: 'response', category: 'permanent' },
      `POST api:/again: the answer has no list 'failures'.`,
    ],
    [
      '{ of: second }',
      { kind: 'validation' },
      `Step 'verify-api' verifies what step 'second' found, which has not completed before it.`,
    ],
  ])(
    'fails with a clear word and without a crash where it cannot verify: %s',
    async (parameters, facts, message) => {
      const { url } = await testService(['a'], { result: 'fine' })
      const { session } = await builtInSession(flow(url, parameters))
      expect(await session.runToEnd()).toMatchObject({
        status: 'failed',
        step: 'verify-api',
        error: { ...facts, message },
      })
    },
  )

  test('is refused before anything runs for a parameter that it does not have', async () => {
    await expect(builtInSession(flow('http://x', '{ off: first }'))).rejects.toThrow(
      `Step 'verify-api' has no parameter 'off'. Did you mean 'of'?`,
    )
  })

  test('is tried again when the service fails, and asks with the same idempotency key', async () => {
    const { url, seen } = await testService(['a'], { failures: ['a'] })
    const { session } = await builtInSession(flow(url, '{}', ', retries: 1'), {
      faults: [httpFailure('verify-api', { mode: 'broken-body' })],
    })
    expect(await session.runToEnd()).toEqual({ status: 'completed', hasFailures: true })
    const keys = seen.slice(1).map(({ headers }) => headers['idempotency-key'])
    expect(keys).toEqual([`${session.runId}/verify-api#1`, `${session.runId}/verify-api#1`])
    expect(session.state().steps['verify-api']?.output).toMatchObject({
      stillFailing: ['a'],
      failures: ['a'],
    })
  })
})
