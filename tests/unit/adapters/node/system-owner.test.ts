import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setImmediate as immediately } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createSystemOwner } from '../../../../src/adapters/node/index.ts'
import { processStartTime } from '../../../../src/adapters/node/process-facts.ts'
import type { OwnerIdentity } from '../../../../src/ports/index.ts'

const owner = createSystemOwner()

describe('the owner of this process', () => {
  test('is alive, also for another owner in the same process', () => {
    expect(owner.liveness(owner.self)).toBe('alive')
    expect(createSystemOwner().liveness(owner.self)).toBe('alive')
    expect(createSystemOwner().self.nonce).not.toBe(owner.self.nonce)
  })

  test('names this process', () => {
    expect(owner.self.pid).toBe(process.pid)
    expect(owner.self.startTime).toBe(processStartTime(process.pid))
  })
})

describe('a holder', () => {
  test('is alive while its process runs, and dead afterwards', async () => {
    const child = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1_000)'])
    await once(child, 'spawn')
    const holder = holderWith({ pid: child.pid as number })
    expect(owner.liveness(holder)).toBe('alive')
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
    expect(owner.liveness(holder)).toBe('dead')
  })

  test.runIf(process.platform === 'linux')(
    'is dead as soon as it died, even if no parent has noticed',
    async () => {
      // What was its shell has become a process that never asks for it.
      const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'])
      const [line] = (await once(parent.stdout, 'data')) as [Buffer]
      const pid = Number(line.toString())
      const name = (): string => readFileSync(`/proc/${parent.pid}/comm`, 'utf8')
      while (name() !== 'sleep\n') await immediately()
      process.kill(pid, 'SIGKILL')
      while (statFields(pid)[0] !== 'Z') await immediately()
      const holder: OwnerIdentity = { ...owner.self, pid, startTime: statFields(pid)[19] as string }
      expect(owner.liveness(holder)).toBe('dead')
      parent.kill('SIGKILL')
    },
  )

  test('is dead when its process id belongs to another process now', () => {
    expect(owner.liveness({ ...owner.self, startTime: '1' })).toBe('dead')
  })

  test('is dead when the machine was started again', () => {
    expect(owner.liveness({ ...owner.self, bootId: 'an earlier one' })).toBe('dead')
  })

  test('on another host cannot be asked', () => {
    expect(owner.liveness({ ...owner.self, host: 'elsewhere.example' })).toBe('elsewhere')
  })

  test('that was invented is dead', () => {
    expect(owner.liveness({ ...owner.self, invented: true })).toBe('dead')
  })

  test('of which the platform does not tell more is judged by its process id', () => {
    const holder = { ...owner.self, startTime: 'unknown', bootId: 'unknown' }
    expect(owner.liveness(holder)).toBe('alive')
  })
})

function holderWith({ pid }: { pid: number }): OwnerIdentity {
  return { ...owner.self, nonce: 'other', pid, startTime: processStartTime(pid) as string }
}

/** The fields of `/proc/<pid>/stat` from the third (the state) on. */
function statFields(pid: number): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}
