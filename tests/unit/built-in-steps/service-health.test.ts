import { describe, expect, test } from 'vitest'
import { createHttpService } from '../../../src/adapters/node/index.ts'
import { askHealth } from '../../../src/built-in-steps/index.ts'
import type { ServiceHealth } from '../../../src/built-in-steps/index.ts'
import type { JsonObject } from '../../../src/core/index.ts'
import { json, loopbackService } from '../../support/loopback-service.ts'

const http = createHttpService()

function healthOf(
  settings: JsonObject,
  environment: Readonly<Record<string, string>> = {},
  signal = new AbortController().signal,
): Promise<ServiceHealth> {
  return askHealth({ name: 'api', settings }, { http, environment, signal })
}

describe('the health of a service', () => {
  test.each([
    [200, 'up'],
    [204, 'up'],
    [302, 'down'],
    [404, 'down'],
    [503, 'down'],
  ])('with a path for it follows the status %i: %s', async (status, word) => {
    const api = await loopbackService((_, response) => void response.writeHead(status).end())
    expect(await healthOf({ url: `${api.url}/base/`, health: 'well' })).toEqual({
      status: word,
      detail: `answered with status ${status}`,
    })
    expect(api.seen.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /base/well'])
  })

  test.each([
    [404, 'up'],
    [401, 'up'],
    [500, 'down'],
  ])('without one is good unless the service itself fails: %i is %s', async (status, word) => {
    const api = await loopbackService((_, response) => void response.writeHead(status).end())
    expect((await healthOf({ base_url: api.url })).status).toBe(word)
  })

  test('is asked with the headers of the service, and shows none of what it is asked with', async () => {
    const api = await loopbackService((_, response) => json(response, {}))
    const settings = { url: '${env.API}', headers: { authorization: 'Bearer ${env.TOKEN}' } }
    const environment = { API: api.url, TOKEN: 'a-long-secret' }
    expect((await healthOf(settings, environment)).status).toBe('up')
    expect(api.seen[0]?.headers.authorization).toBe('Bearer a-long-secret')
    await api.stop()
    const down = await healthOf(settings, environment)
    expect(down).toEqual({
      status: 'down',
      detail: 'api: the service refused the connection: nothing listens there.',
    })
  })

  test('is bad when no answer comes in time', async () => {
    const api = await loopbackService(() => {})
    const ending = new AbortController()
    const asked = healthOf({ url: api.url }, {}, ending.signal)
    await expect.poll(() => api.seen.length).toBe(1)
    ending.abort()
    expect(await asked).toEqual({ status: 'down', detail: 'gave no answer in time' })
  })

  test.each([
    [{}, 'has no url'],
    [{ url: 5 }, 'has no url'],
    [{ url: 'http://127.0.0.1:9', health: 5 }, `has a 'health' that is no path`],
    [{ url: 'http://127.0.0.1:9', headers: ['x'] }, 'has headers that are no map of texts'],
    [{ url: 'http://${env.HOST_NAME}' }, 'needs the environment variable HOST_NAME'],
  ])('is unknown where the settings do not say how to ask: %j', async (settings, detail) => {
    expect(await healthOf(settings)).toEqual({ status: 'unknown', detail })
  })
})
