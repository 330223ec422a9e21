import { describe, expect, test } from 'vitest'
import { isRunning } from '../../support/is-running.ts'
import { json, loopbackService } from '../../support/loopback-service.ts'
import type { LoopbackService } from '../../support/loopback-service.ts'
import { fencedBlocks } from '../../support/markdown.ts'
import { lastRun, project, startsOf } from '../../support/run-folder.ts'
import type { Ended, Stranger } from '../../support/stranger.ts'

const [sample] = fencedBlocks('docs/built-in-steps.md').filter(({ language }) => language === 'yaml')
const build = `import { writeFileSync } from 'node:fs'\nwriteFileSync('report.txt', 'built')\n`

/** Runs tests, all of which or those that it is to verify; wants to be asked by name. */
function testService(): Promise<LoopbackService> {
  return loopbackService(({ headers, body }, response) => {
    if (headers.authorization !== 'Bearer abcdef123456') json(response, { error: 'who are you?' }, 401)
    else json(response, { failures: body === '' ? ['login', 'logout'] : ['logout'] })
  })
}

/** Without holding up this process, in which the service lives. */
async function faultline(folder: Stranger, ...args: readonly string[]): Promise<Ended> {
  const child = folder.start(...args)
  const texts = { stdout: '', stderr: '' }
  child.stdout?.on('data', (chunk: Buffer) => (texts.stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (texts.stderr += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => void child.once('close', resolve))
  return { code, ...texts }
}

function nightly(url: string): Stranger {
  return project({
    'nightly.yaml': (sample?.text ?? '').replace('http://127.0.0.1:8000', url),
    'build.mjs': build,
  })
}

interface Event {
  readonly kind: string
  readonly step?: string
  readonly output?: unknown
  readonly error?: { readonly kind: string; readonly code?: string }
}

function eventsOf(folder: Stranger): readonly Event[] {
  const lines = folder
    .read(`.workflow/runs/${lastRun(folder)}/events.jsonl`)
    .trimEnd()
    .split('\n')
  return lines.map((line) => JSON.parse(line.slice(9)) as Event)
}

describe('built-in steps on the command line', { timeout: 120_000 }, () => {
  test('run from a file without an agents module: a real program, a real service, and what it verifies', async () => {
    process.env['API_TOKEN'] = 'abcdef123456'
    const service = await testService()
    const folder = nightly(service.url)
    const { code, stdout, stderr } = await faultline(folder, 'run', 'nightly.yaml')
    // All steps have succeeded, and what they found is told.
    expect([code, stderr], stdout).toEqual([1, ''])
    expect(folder.read('report.txt')).toBe('built')
    expect(service.seen.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['POST', '/api/runs', ''],
      ['POST', '/api/runs', '{"verify_only":true,"tests":["login","logout"]}'],
    ])
    const outputs = eventsOf(folder).flatMap((event) =>
      event.kind === 'step_finish' ? [[event.step, event.output]] : [],
    )
    expect(outputs).toEqual([
      ['build', { exitCode: 0, stdout: '', stderr: '' }],
      ['tests', expect.objectContaining({ status: 200, failures: ['login', 'logout'] })],
      [
        'verify-api',
        expect.objectContaining({ fixed: ['login'], stillFailing: ['logout'], newFailures: [] }),
      ],
    ])
    const kept = folder.files('.workflow').map((path) => folder.read(path))
    expect(kept.join('')).not.toContain('abcdef123456')
  })

  test('meet network faults by option, and resume without them; a service that is gone is told', async () => {
    process.env['API_TOKEN'] = 'abcdef123456'
    const service = await testService()
    const folder = nightly(service.url)
    const failed = await faultline(
      folder,
      'run',
      'nightly.yaml',
      '--clock',
      'virtual',
      '--fault',
      'http-failure:tests',
    )
    expect([failed.code, service.seen]).toEqual([1, []])
    expect(failed.stdout).toContain(
      'POST api:/api/runs: the service refused the connection: nothing listens there. (connection)',
    )
    expect(startsOf(folder)).toEqual(['build', 'tests', 'tests', 'tests'])
    expect((await faultline(folder, 'resume')).stdout).toContain('completed')
    expect(startsOf(folder)).toEqual(['build', 'tests', 'tests', 'tests', 'tests', 'verify-api'])
  })

  test('are replaced by stand-ins with --mock', async () => {
    const folder = nightly('http://127.0.0.1:1')
    const { code, stdout } = await faultline(folder, 'run', 'nightly.yaml', '--mock')
    expect(code, stdout).toBe(0)
    expect(folder.read('report.txt')).toContain('Mock content')
  })

  test('whose engine is killed leave an orphan, which whoever resumes ends before it runs the step again', async () => {
    const folder = project({
      'flow.yaml': `id: flow
steps:
  - id: build
    agent: command
    creates: [out.txt]
    timeout: 10m
    parameters: { command: [node, build.mjs] }
`,
      'build.mjs': `import { appendFileSync, existsSync, writeFileSync } from 'node:fs'
appendFileSync('out.txt', 'written by a life of this step\\n')
if (!existsSync('orphan')) {
  writeFileSync('orphan', String(process.pid))
  process.on('SIGTERM', () => {
    appendFileSync('out.txt', 'and by its orphan\\n')
    process.exit(0)
  })
  setInterval(() => {}, 1_000)
}
`,
    })
    const child = folder.start('run', 'flow.yaml')
    const exited = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))
    await expect.poll(() => folder.files(), { timeout: 60_000 }).toContain('orphan')
    await expect.poll(() => folder.read('orphan'), { timeout: 60_000 }).not.toBe('')
    child.kill('SIGKILL')
    expect(await exited).toBe('SIGKILL')
    const orphan = Number(folder.read('orphan'))
    expect(isRunning(orphan)).toBe(true)
    expect((await faultline(folder, 'status')).stdout).toContain('status   interrupted in build\n')

    const { code, stdout, stderr } = await faultline(folder, 'resume')
    expect([code, stderr], stdout).toEqual([0, ''])
    expect(isRunning(orphan)).toBe(false)
    // The orphan had its last word before the step ran again: never two writers at once.
    expect(folder.read('out.txt')).toBe(
      'written by a life of this step\nand by its orphan\nwritten by a life of this step\n',
    )
    expect(eventsOf(folder).filter(({ kind }) => kind === 'process_start')).toHaveLength(2)
    expect((await faultline(folder, 'state', 'validate')).code).toBe(0)
  })
})
