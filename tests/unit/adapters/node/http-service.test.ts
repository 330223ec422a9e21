import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createHttpService } from '../../../../src/adapters/node/index.ts'
import type { HttpCall, HttpResponse } from '../../../../src/ports/index.ts'
import { json, loopbackService } from '../../../support/loopback-service.ts'

const service = createHttpService()
const by = { step: 'ask', visit: 1, attempt: 1 }

function ask(url: string, call: Partial<HttpCall> = {}): Promise<HttpResponse> {
  return service.request({
    method: 'GET',
    url,
    by,
    target: 'GET api:/runs',
    signal: new AbortController().signal,
    ...call,
  })
}

const textOf = ({ body }: HttpResponse): string => new TextDecoder().decode(body)

describe('the HTTP service', () => {
  test('sends method, headers and body as they are, and hands back status, headers and body', async () => {
    const { url, seen } = await loopbackService((_, response) => {
      response.setHeader('X-Part', ['one', 'two'])
      json(response, { id: 7 }, 201)
    })
    const response = await ask(`${url}/runs?page=2`, {
      method: 'POST',
      headers: { 'X-Request': 'abc' },
      body: '{"name":"ä"}',
    })
    expect(seen).toMatchObject([
      { method: 'POST', path: '/runs?page=2', body: '{"name":"ä"}', headers: { 'x-request': 'abc' } },
    ])
    expect(response).toMatchObject({
      status: 201,
      headers: { 'x-part': 'one, two' },
      url: `${url}/runs?page=2`,
    })
    expect(textOf(response)).toBe('{"id":7}')
  })

  test('follows redirects as far as it may, and keeps what is meant for one service from another', async () => {
    const other = await loopbackService(({ headers }, response) => json(response, headers))
    const { url, seen } = await loopbackService(({ path }, response) => {
      const to = path === '/far' ? `${other.url}/there` : path === '/round' ? '/round' : '/end'
      if (path === '/end') json(response, 'end')
      else response.writeHead(path === '/keep' ? 307 : 302, { location: to }).end()
    })
    const posted = { method: 'POST', body: 'x', headers: { 'Content-Type': 'text/plain' } }
    expect(textOf(await ask(`${url}/move`, posted))).toBe('"end"')
    expect(textOf(await ask(`${url}/keep`, posted))).toBe('"end"')
    expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /move',
      'GET /end',
      'POST /keep',
      'POST /end',
    ])
    expect(seen[1]?.headers).not.toHaveProperty('content-type')
    const secret = { headers: { Authorization: 'Bearer abc', Accept: 'x/y' } }
    const carried = JSON.parse(textOf(await ask(`${url}/far`, secret))) as object
    expect(carried).toMatchObject({ accept: 'x/y' })
    expect(carried).not.toHaveProperty('authorization')
    expect(await ask(`${url}/move`, { maxRedirects: 0 })).toMatchObject({ status: 302 })
    await expect(ask(`${url}/round`, { maxRedirects: 2 })).rejects.toMatchObject({
      kind: 'response',
      category: 'permanent',
      code: 'TOO_MANY_REDIRECTS',
      message: 'GET api:/runs: the service redirected more than 2 times.',
    })
  })

  test('refuses an answer that is longer than it may be', async () => {
    const { url } = await loopbackService((_, response) => void response.end('x'.repeat(1_001)))
    expect(await ask(url, { maxBodyBytes: 1_001 })).toMatchObject({ status: 200 })
    await expect(ask(url, { maxBodyBytes: 1_000 })).rejects.toMatchObject({
      kind: 'response',
      code: 'BODY_TOO_LARGE',
      message: 'GET api:/runs: the service answered with more than 1000 bytes.',
    })
  })

  test('tells a refused connection, a lost one and nonsense apart, in words', async () => {
    const { url, stop } = await loopbackService(() => {})
    await stop()
    await expect(ask(url)).rejects.toMatchObject({
      name: 'StepFailure',
      kind: 'connection',
      category: 'transient',
      code: 'ECONNREFUSED',
      message: 'GET api:/runs: the service refused the connection: nothing listens there.',
    })
    const lost = await loopbackService((_, __, raw) => void raw.socket.destroy())
    const reset = {
      kind: 'connection',
      category: 'transient',
      code: 'ECONNRESET',
      message: 'GET api:/runs: the service closed the connection before the answer was complete.',
    }
    await expect(ask(lost.url)).rejects.toMatchObject(reset)
    const half = await loopbackService((_, response, raw) => {
      response.writeHead(200, { 'content-length': '100' }).write('half', () => raw.socket.destroy())
    })
    await expect(ask(half.url)).rejects.toMatchObject(reset)
    await expect(ask('ftp://example.com/')).rejects.toMatchObject({ kind: 'response', code: 'BAD_URL' })
    await expect(ask(await garbage())).rejects.toMatchObject({ kind: 'connection' })
  })

  test('has no limit but the signal, which also ends an answer that has begun', async () => {
    const controller = new AbortController()
    const reason = new Error('out of time')
    const closed: Promise<void>[] = []
    const { url } = await loopbackService(({ path }, response, raw) => {
      closed.push(new Promise((resolve) => void raw.socket.once('close', () => resolve())))
      if (path === '/body') response.write('first part')
      else controller.abort(reason)
    })
    await expect(ask(`${url}/silent`, { signal: controller.signal })).rejects.toBe(reason)
    await expect(ask(`${url}/late`, { signal: controller.signal })).rejects.toBe(reason)
    const second = new AbortController()
    const answer = ask(`${url}/body`, { signal: second.signal })
    while (closed.length < 2) await new Promise((resolve) => setImmediate(resolve))
    second.abort(reason)
    await expect(answer).rejects.toBe(reason)
    await Promise.all(closed)
  })
})

/** Something that listens and does not speak HTTP. */
async function garbage(): Promise<string> {
  const server = createServer((socket) => void socket.end('not http\r\n\r\n'))
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
