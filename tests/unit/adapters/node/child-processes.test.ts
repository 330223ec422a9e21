import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createChildProcesses } from '../../../../src/adapters/node/index.ts'
import type { ChildProcesses } from '../../../../src/adapters/node/index.ts'
import type { HeldProcess, ProcessCommand, ProcessResult } from '../../../../src/ports/index.ts'
import { isRunning } from '../../../support/is-running.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'

const by = { step: 'build', visit: 1, attempt: 1 }
const environment = { ...process.env, ALLOWED: 'yes', API_TOKEN: 'top-secret' }

let folder: string
let processes: ChildProcesses

beforeEach(() => {
  folder = temporaryFolder()
  processes = createChildProcesses({ folder, environment })
})

afterEach(() => processes.close())

const start = (command: ProcessCommand): Promise<HeldProcess> => processes.start({ ...command, by })

async function run(command: ProcessCommand): Promise<ProcessResult> {
  const held = await start(command)
  held.release()
  return held.result
}

const shell = (text: string, rest: Omit<ProcessCommand, 'command'> = {}): ProcessCommand => ({
  command: ['sh', '-c', text],
  ...rest,
})

/** A program that says when it has begun, and never ends by itself. */
const endless = `echo begun > begun; while :; do sleep 60; done`

async function begun(): Promise<void> {
  while (!existsSync(join(folder, 'begun'))) await new Promise((resolve) => setImmediate(resolve))
}

describe('a child process', () => {
  test('runs a program with its arguments as they are, in a folder of the project', async () => {
    mkdirSync(join(folder, 'part'))
    const result = await run({
      command: [
        'node',
        '-e',
        'console.log(process.argv[1], process.cwd()); console.error("aside")',
        '$HOME *',
      ],
      cwd: 'part',
    })
    expect(result).toEqual({
      exitCode: 0,
      signal: null,
      stdout: `$HOME * ${join(folder, 'part')}\n`,
      stderr: 'aside\n',
    })
  })

  test('tells how it ended', async () => {
    expect(await run(shell('exit 3'))).toMatchObject({ exitCode: 3, signal: null })
    expect(await run(shell('kill -9 $$'))).toMatchObject({ exitCode: null, signal: 'SIGKILL' })
  })

  test('is given of the environment what every program needs, and what is named', async () => {
    const { stdout } = await run({
      ...shell('env'),
      passEnv: ['ALLOWED', 'NOT_THERE'],
      setEnv: { LEVEL: '3' },
    })
    const names = stdout.split('\n').map((line) => line.split('=')[0])
    expect(stdout).toContain('ALLOWED=yes\n')
    expect(stdout).toContain('LEVEL=3\n')
    expect(names).toContain('PATH')
    expect(names).not.toContain('API_TOKEN')
    expect(names).not.toContain('NOT_THERE')
  })

  test('has what it prints beyond the cap left out of the middle, with a mark', async () => {
    const { stdout, stderr } = await run({
      command: [
        'node',
        '-e',
        `process.stdout.write('a'.repeat(5) + 'x'.repeat(1e6) + 'z'.repeat(5)); console.error('ää')`,
      ],
      capBytes: 10,
    })
    expect(stdout).toBe('aaaaa\n[... 1000000 bytes left out ...]\nzzzzz')
    expect(stderr).toBe('ää\n')
  })

  test('does nothing until it is let go, and ends when it is not wanted any more', async () => {
    const held = await start(shell('touch done'))
    held.abandon()
    expect(await held.result).toMatchObject({ exitCode: 125 })
    expect(existsSync(join(folder, 'done'))).toBe(false)
  })

  test('is asked to end with all that it has started', async () => {
    const held = await start(shell(`(sleep 600 & echo $! > grandchild; ${endless})`))
    held.release()
    await begun()
    held.end()
    expect(await held.result).toMatchObject({ exitCode: null, signal: 'SIGTERM' })
    expect(isRunning(Number(readFileSync(join(folder, 'grandchild'), 'utf8')))).toBe(false)
  })

  test('is killed when it does not end after being asked', async () => {
    const held = await start(shell(`trap '' TERM; ${endless}`, { killGraceMs: 30 }))
    held.release()
    await begun()
    held.end()
    expect(await held.result).toMatchObject({ exitCode: null, signal: 'SIGKILL' })
  })

  test('leaves nothing behind when it ends by itself', async () => {
    const { stdout } = await run(shell('sleep 600 & echo $!'))
    expect(isRunning(Number(stdout))).toBe(false)
  })

  test('is refused by name when there is no such program or folder, or the folder is not in the project', async () => {
    const missing = { name: 'StepFailure', kind: 'process', category: 'permanent', code: 'ENOENT' }
    await expect(start({ command: ['no-such-program'] })).rejects.toMatchObject({
      ...missing,
      message: `'no-such-program' cannot be started: there is no such program.`,
    })
    writeFileSync(join(folder, 'text'), 'not a program')
    await expect(start({ command: ['./text'] })).rejects.toMatchObject(missing)
    await expect(start({ command: ['true'], cwd: 'gone' })).rejects.toMatchObject({
      ...missing,
      message: `'true' cannot be started: there is no folder 'gone'.`,
    })
    await expect(start({ command: ['true'], cwd: '../elsewhere' })).rejects.toMatchObject({
      code: 'PATH_OUTSIDE',
    })
  })
})

describe('a process group that a dead holder has left', () => {
  test('is ended by whoever finds it recorded', async () => {
    const held = await start(shell(endless))
    held.release()
    await begun()
    const later = createChildProcesses({ folder, environment: {} })
    expect(await later.endGroup(held.group)).toBe('ended')
    expect(await held.result).toMatchObject({ signal: 'SIGTERM' })
    expect(await later.endGroup(held.group)).toBe('gone')
  })

  test('is ended although its leader has died', async () => {
    const held = await start(shell(`sleep 600 & echo $! > grandchild; echo begun > begun; kill -STOP $$`))
    held.release()
    await begun()
    const grandchild = Number(readFileSync(join(folder, 'grandchild'), 'utf8'))
    process.kill(held.group.pid, 'SIGKILL')
    await held.result
    expect(isRunning(grandchild)).toBe(false)
  })

  test('is left alone when its number belongs to another process now, or it is on another machine', async () => {
    const held = await start(shell(endless))
    held.release()
    await begun()
    const { group } = held
    expect(await processes.endGroup({ ...group, startTime: '1' })).toBe('gone')
    expect(await processes.endGroup({ ...group, bootId: 'another start' })).toBe('gone')
    expect(await processes.endGroup({ ...group, host: 'far-away' })).toBe('elsewhere')
    expect(isRunning(group.pid)).toBe(true)
  })
})
