import { once } from 'node:events'
import type { ChildProcess } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { project } from '../../support/run-folder.ts'
import { answerOf, textIn } from '../../support/served-workflows.ts'
import type { Answer, Asking } from '../../support/served-workflows.ts'
import type { Stranger } from '../../support/stranger.ts'

const services = (url: string): string => `services:
  api: { url: '${url}', health: /health, headers: { Authorization: 'Basic c2VjcmV0' } }
workflows:
  nightly:
    steps:
      - { id: look, type: look, service: api, retries: 1 }
      - { id: ask, type: http, service: api, parameters: { url: /state } }
`
const letter = `id: letter
input_schema: { type: object, properties: { to: { type: string } }, required: [to] }
steps:
  - { id: write, agent: writer, creates: [letter.txt] }
  - { id: wait, agent: waiter }
`
const agents = `import { existsSync } from 'node:fs'
import { join } from 'node:path'
export const agents = {
  look: ({ service }) => service.name,
  writer: ({ artifacts, input }) => artifacts.write('letter.txt', 'Dear ' + input.to),
  // Until the file 'go' is there.
  waiter: ({ project, signal }) => new Promise((resolve, reject) => {
    const look = setInterval(() => existsSync(join(project.folder, 'go')) && end(resolve), 20)
    signal.addEventListener('abort', () => end(() => reject(new Error('aborted'))))
    const end = (then) => { clearInterval(look); then('waited') }
  }),
}
`

interface Serving {
  readonly process: ChildProcess
  readonly url: string
  readonly output: () => string
  ask(path: string, options?: Asking): Promise<Answer>
  /** Resolves with the record of a run once it has come to a status. */
  until(path: string, status: string): Promise<Answer>
}

async function serve(folder: Stranger, ...args: readonly string[]): Promise<Serving> {
  const process = folder.start('serve', ...args, '--port', '0')
  onTestFinished(() => void process.kill('SIGKILL'))
  let text = ''
  for (const stream of [process.stdout, process.stderr])
    stream?.on('data', (chunk: Buffer) => (text += String(chunk)))
  await expect.poll(() => text, { timeout: 30_000 }).toMatch(/serving {2}http:\S+\n/)
  const url = /serving {2}(http:\S+)\n/.exec(text)?.[1] ?? ''
  const ask = (path: string, options?: Asking): Promise<Answer> => answerOf(`${url}${path}`, options)
  return {
    process,
    url,
    output: () => text,
    ask,
    async until(path, status) {
      let answer = await ask(path)
      await expect
        .poll(async () => (answer = await ask(path)).body['status'], { timeout: 30_000 })
        .toBe(status)
      return answer
    },
  }
}

async function start(service: Serving, workflow: string, input: string): Promise<string> {
  const { status, body } = await service.ask(`/api/workflows/${workflow}/runs`, {
    method: 'POST',
    body: { input: { to: input } },
  })
  expect([status, body]).toMatchObject([202, { workflow, status: 'running' }])
  return textIn(body, 'url')
}

/** A service that answers 200 to whatever it is asked. */
async function goodService(): Promise<string> {
  const server = createServer((_, response) =>
    response.writeHead(200, { 'content-type': 'text/plain' }).end('well'),
  )
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('faultline serve', () => {
  test('lists services, runs a workflow, and shows its history with the runs of the command line', async () => {
    const folder = project({
      'flows/services.yaml': services(await goodService()),
      'flows/letter.yaml': letter,
      'flows/notes.txt': 'not a workflow',
      'faultline.agents.mjs': agents,
      go: '',
    })
    const service = await serve(folder, 'flows')
    expect((await service.ask('/api/services')).body).toMatchObject({
      services: [{ name: 'api', workflows: ['nightly'], health: { status: 'up' } }],
    })
    const { body } = await service.ask('/api/workflows')
    expect(body).toMatchObject({
      workflows: [{ name: 'letter', file: 'flows/letter.yaml' }, { name: 'nightly' }],
    })

    const url = await start(service, 'nightly', 'nobody')
    expect((await service.until(url, 'completed')).body).toMatchObject({
      steps: [{ output: 'api' }, { step: 'ask' }],
    })
    // Started and not called: the service that it asks lives in this process.
    const other = folder.start('run', 'flows/services.yaml', '--workflow', 'nightly')
    let stdout = ''
    other.stdout?.on('data', (chunk: Buffer) => (stdout += String(chunk)))
    expect(await once(other, 'close')).toEqual([0, null])
    const ofCommandLine = /^run (\S+)$/m.exec(stdout)?.[1]
    const runId = url.replace('/api/runs/', '')
    const { body: history } = await service.ask('/api/workflows/nightly/history')
    expect((history['runs'] as { runId: string }[]).map((run) => run.runId)).toEqual([ofCommandLine, runId])
    const listed = folder.faultline('history', '--workflow', 'nightly')
    expect(listed.stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'run',
      ofCommandLine,
      runId,
      '',
    ])
    const records = JSON.parse(
      folder.faultline('history', '--workflow', 'nightly', '--limit', '1', '--json').stdout,
    ) as object
    expect(records).toMatchObject({ runs: [{ runId: ofCommandLine, steps: [{}, {}] }] })

    service.process.kill('SIGTERM')
    expect(await once(service.process, 'exit')).toEqual([0, null])
    expect(service.output()).toContain(`completed ${runId}\n`)
  })

  test('lets go of what moves when it ends, and the command line goes on with it', async () => {
    const folder = project({ 'letter.yaml': letter, 'my.agents.mjs': agents })
    const service = await serve(folder, 'letter.yaml', '--agents', 'my.agents.mjs', '--grace', '0')
    const url = await start(service, 'letter', 'Ada')
    await expect
      .poll(async () => (await service.ask(url)).text)
      .toContain('"step":"wait","agent":"waiter","status":"running"')
    service.process.kill('SIGTERM')
    expect(await once(service.process, 'exit')).toEqual([0, null])
    const runId = url.replace('/api/runs/', '')
    expect(service.output()).toContain(`let go   ${runId}\nresume   npx faultline resume ${runId}\n`)
    expect(folder.faultline('status').stdout).toContain('status   interrupted in wait\n')
    folder.write('go', '')
    const resumed = folder.faultline('resume')
    expect([resumed.stderr, resumed.code]).toEqual(['', 0])
    expect(folder.read('letter.txt')).toBe('Dear Ada')
  })

  test('waits for what moves when it is asked to end, and answers nobody meanwhile', async () => {
    const folder = project({ 'letter.yaml': letter, 'faultline.agents.mjs': agents })
    const service = await serve(folder, 'letter.yaml', '--grace', '600')
    await start(service, 'letter', 'Ada')
    service.process.kill('SIGTERM')
    await expect
      .poll(() => service.output())
      .toContain('waiting up to 600 s for 1 running; ask again to let go of them\n')
    await expect(service.ask('/api/health')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    folder.write('go', '')
    expect(await once(service.process, 'exit')).toEqual([0, null])
    expect(service.output()).toMatch(/^completed letter-/m)
  })

  test('cancels a run when another process asks for it', async () => {
    const folder = project({ 'letter.yaml': letter, 'faultline.agents.mjs': agents })
    const service = await serve(folder, 'letter.yaml')
    const url = await start(service, 'letter', 'Ada')
    await expect
      .poll(async () => (await service.ask(url)).text)
      .toContain('"step":"wait","agent":"waiter","status":"running"')
    const cancelling = folder.start('cancel', url.replace('/api/runs/', ''))
    expect(await once(cancelling, 'exit')).toEqual([0, null])
    expect((await service.ask(url)).body).toMatchObject({ status: 'cancelled', success: false })
  })

  test('refuses a run that would replace a file of somebody, and one that lacks a file', async () => {
    const folder = project({
      'letter.yaml': letter,
      'answer.yaml': 'id: answer\nsteps:\n  - { id: read, agent: waiter, requires: [question.txt] }\n',
      'letter.txt': 'mine',
      'faultline.agents.mjs': agents,
    })
    const service = await serve(folder, '.')
    const refused = async (workflow: string): Promise<Answer> =>
      service.ask(`/api/workflows/${workflow}/runs`, { method: 'POST', body: { input: { to: 'Ada' } } })
    expect((await refused('letter')).body).toMatchObject({ status: 409, code: 'FILE_WOULD_BE_OVERWRITTEN' })
    expect((await refused('answer')).body).toMatchObject({ status: 409, code: 'REQUIRED_FILE_MISSING' })
    expect(folder.read('letter.txt')).toBe('mine')
    expect((await service.ask('/api/runs')).body).toMatchObject({ runs: [] })
  })
})

describe('what cannot be served or run', () => {
  const folder = (): Stranger =>
    project({
      'letter.yaml': letter,
      'other/letter.yaml': letter,
      'broken.yaml': 'id: broken\nsteps: 5\n',
      'services.yaml': services('http://127.0.0.1:9'),
      'empty/readme.txt': '',
      'unknown.yaml': 'id: unknown\nsteps: [{ id: a, agent: nobody }]\n',
      'faultline.agents.mjs': agents,
    })

  test.each([
    [
      'a missing file',
      ['serve', 'gone.yaml'],
      `error[FILE_NOT_FOUND]: There is no workflow file 'gone.yaml'.\n`,
    ],
    [
      'a folder without definitions',
      ['serve', 'empty'],
      `error[FILE_NOT_FOUND]: The folder 'empty' holds no workflow definition: no .yaml or .yml lies in it. JSON files are named one by one.\n`,
    ],
    [
      'two workflows of one id',
      ['serve', 'letter.yaml', 'other/'],
      `error[CONFIGURATION_INVALID]: The workflow 'letter' is in 'letter.yaml' and in 'other/letter.yaml', and is to be told apart by its id: rename one, or leave one out.\n`,
    ],
    ['a definition that is none', ['serve', 'broken.yaml'], 'error[DEFINITION_INVALID]: broken.yaml:2:1: '],
    ['an unknown agent', ['serve', 'unknown.yaml'], `error[UNKNOWN_AGENT]: unknown.yaml:2:`],
    [
      'an address that others reach',
      ['serve', 'letter.yaml', '--host', '0.0.0.0'],
      `error: option '--host <host>' argument '0.0.0.0' is invalid.`,
    ],
    [
      'a port that is none',
      ['serve', 'letter.yaml', '--port', '70000'],
      `error: option '--port <n>' argument '70000' is invalid.`,
    ],
    [
      'a missing file to run',
      ['run', 'gone.yaml'],
      `error[FILE_NOT_FOUND]: There is no workflow file 'gone.yaml'.\n`,
    ],
    [
      'an unknown workflow to run',
      ['run', 'services.yaml', '--workflow', 'nightlx'],
      `error[DEFINITION_INVALID]: services.yaml:3:1: workflows holds no workflow 'nightlx'. Did you mean 'nightly'?\n`,
    ],
    [
      'a missing file to show',
      ['config', 'show', 'gone.yaml'],
      `error[FILE_NOT_FOUND]: There is no workflow file 'gone.yaml'.\n`,
    ],
    [
      'a limit that is none',
      ['history', '--workflow', 'letter', '--limit', '0'],
      `error[CONFIGURATION_INVALID]: The limit of a history must be a whole number from 1 to 1000, not 0.\n`,
    ],
    [
      'a limit of no workflow',
      ['history', '--limit', '5'],
      'error: name a run, or a workflow with --workflow',
    ],
  ])('exits with 2 and says why: %s', (_what, args, words) => {
    const ended = folder().faultline(...args)
    expect([ended.code, ended.stdout]).toEqual([2, ''])
    expect(ended.stderr.slice(0, words.length)).toBe(words)
  })

  test('exits with 2 where the port is taken', async () => {
    const here = folder()
    const port = new URL(await goodService()).port
    const ended = here.start('serve', 'letter.yaml', '--port', port)
    let stderr = ''
    ended.stderr?.on('data', (chunk: Buffer) => (stderr += String(chunk)))
    expect(await once(ended, 'close')).toEqual([2, null])
    expect(stderr).toBe(
      `error[CONFIGURATION_INVALID]: Port ${port} of 127.0.0.1 cannot be used: another program listens there. Name another with --port.\n`,
    )
  })

  test('exits with 1 where a service is down, and names the service', () => {
    const ended = folder().faultline('run', 'services.yaml', '--workflow', 'nightly')
    expect(ended.code).toBe(1)
    expect(ended.stdout).toContain(
      '✗ ask  GET api:/state: the service refused the connection: nothing listens there. (connection)\n',
    )
  })
})

describe('faultline config show', () => {
  test('shows every value that is in effect, where it comes from, and no secret', () => {
    const folder = project({
      'services.yaml': services('http://127.0.0.1:9'),
      'faultline.agents.mjs': agents,
    })
    const shown = folder.faultline('config', 'show', 'services.yaml')
    expect([shown.stderr, shown.code]).toEqual(['', 0])
    expect(
      shown.stdout
        .replace(folder.folder, '<folder>'.padEnd(folder.folder.length))
        .replaceAll(/ {3,}/g, '   '),
    ).toMatchInlineSnapshot(`
      "  project   <folder>   the current folder
        state directory  .workflow   default
        runs   .workflow/runs   in the state directory
        logs   .workflow/logs   in the state directory
        bundles   faultline-bundles   default
        agents   faultline.agents.mjs   found in the project
        seed   1   default

      workflow nightly  (services.yaml)
        version   0.0.0   default
        limits.maxConcurrentSteps   5   default
        limits.timeoutMs   -   default
        onStepFailure   stop   default
        rollback   false   default
        services.api.url   http://127.0.0.1:9   services.yaml
        services.api.health   /health   services.yaml
        services.api.headers.Authorization  [redacted:named-value]  services.yaml
        steps.look.agent   look   services.yaml:6
        steps.look.service   api   services.yaml:6
        steps.look.condition   -   default
        steps.look.retries   1   services.yaml:6
        steps.look.retryDelayMs   1000   default
        steps.look.timeoutMs   30000   default
        steps.look.maxDurationMs   -   default
        steps.ask.agent   http   services.yaml:7
        steps.ask.service   api   services.yaml:7
        steps.ask.condition   -   default
        steps.ask.retries   0   default
        steps.ask.retryDelayMs   1000   default
        steps.ask.timeoutMs   30000   default
        steps.ask.maxDurationMs   -   default
      "
    `)
  })

  test('tells options, variables and defaults apart', () => {
    const folder = project({ 'letter.yaml': letter, 'my.agents.mjs': agents })
    const read = (text: string): unknown =>
      (JSON.parse(text) as { folder: { name: string; value: unknown; from: string }[] }).folder
        .filter(({ name }) => name === 'state directory' || name === 'agents')
        .map(({ value, from }) => [value, from])
    const variable = { WORKFLOW_STATE_DIRECTORY: 'kept' }
    expect(read(folder.faultlineWith(variable, 'config', 'show', '--json').stdout)).toEqual([
      ['kept', 'WORKFLOW_STATE_DIRECTORY'],
      [
        null,
        'no faultline.agents.mjs, faultline.agents.js, faultline.agents.ts, faultline.agents.mts in the project',
      ],
    ])
    const args = ['config', 'show', '--json', '--state-dir', 'here', '--agents', 'my.agents.mjs']
    expect(read(folder.faultlineWith(variable, ...args).stdout)).toEqual([
      ['here', '--state-dir'],
      ['my.agents.mjs', '--agents'],
    ])
  })
})
