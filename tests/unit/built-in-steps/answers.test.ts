import { describe, expect, test } from 'vitest'
import { createSimulatedHttp } from '../../../src/adapters/virtual/index.ts'
import type { HttpAnswer } from '../../../src/adapters/virtual/index.ts'
import { getJson, postJson } from '../../../src/built-in-steps/answers.ts'
import { createServices } from '../../../src/built-in-steps/services.ts'
import type { AgentContext, HttpRequest } from '../../../src/ports/index.ts'

/** A step that asks a service of the given answer; everything that is asked. */
function asking(answer: HttpAnswer): { readonly context: AgentContext; readonly asked: HttpRequest[] } {
  const asked: HttpRequest[] = []
  const http = createSimulatedHttp((request) => {
    asked.push(request)
    return answer
  })
  const by = { step: 'ask', visit: 1, attempt: 1 }
  const { signal } = new AbortController()
  const context = {
    step: 'ask',
    idempotencyKey: 'run-1/ask#1',
    service: { name: 'api', settings: { base_url: 'http://api/', headers: { 'X-Key': '${env.KEY}' } } },
    http: { request: (request: HttpRequest) => http.request({ target: '', ...request, by, signal }) },
  } as unknown as AgentContext
  return { context, asked }
}

const services = createServices({ KEY: 'sesame-open' })

describe('the helpers of steps that ask a service', () => {
  test('get JSON from a path, with the headers of the service', async () => {
    const { context, asked } = asking({ body: { list: [1] } })
    expect(await getJson(services, context, '/things')).toEqual({ list: [1] })
    expect(asked).toMatchObject([{ method: 'GET', url: 'http://api/things', target: 'GET api:/things' }])
    expect(asked[0]?.headers).toMatchObject({ 'x-key': 'sesame-open' })
    expect(asked[0]?.headers).not.toHaveProperty('idempotency-key')
    expect(asked[0]).not.toHaveProperty('body')
  })

  test('post JSON to a path', async () => {
    const { context, asked } = asking({ status: 201, body: null })
    expect(await postJson(services, context, 'things', { name: 'n' })).toBeNull()
    expect(asked).toMatchObject([{ method: 'POST', url: 'http://api/things', body: '{"name":"n"}' }])
    expect(asked[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      'idempotency-key': 'run-1/ask#1',
    })
  })

  test.each([
    [
      { status: 500, body: 'sesame-open' },
      'HTTP_500',
      'GET api:/x: the service answered 500, and not 2xx: [redacted]',
    ],
    [{ status: 404 }, 'HTTP_404', 'GET api:/x: the service answered 404, and not 2xx.'],
    [{ status: 302 }, 'HTTP_302', 'GET api:/x: the service answered 302, and not 2xx.'],
    [{ body: '{' }, 'BODY_BROKEN', 'GET api:/x: the service answered with a body that is not JSON: {'],
    [{ body: '' }, 'BODY_BROKEN', 'GET api:/x: the service answered with a body that is not JSON: nothing'],
    [
      { status: 400, body: 'long '.repeat(100) },
      'HTTP_400',
      `GET api:/x: the service answered 400, and not 2xx: ${'long '.repeat(60)}...`,
    ],
  ])('fail with status, code and what was said: %j', async (answer, code, message) => {
    const { context } = asking(answer)
    await expect(getJson(services, context, '/x')).rejects.toMatchObject({ kind: 'response', code, message })
  })
})
