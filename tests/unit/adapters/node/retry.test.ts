import { expect, test } from 'vitest'
import { retryWhileHeld } from '../../../../src/adapters/node/retry.ts'
import { systemError, type SystemErrorCode } from '../../../../src/core/index.ts'

/** Fails the first times with a code; counts its calls. */
function failing(code: SystemErrorCode, times: number): { call: () => void; calls: () => number } {
  let calls = 0
  return {
    call() {
      if (++calls <= times) throw systemError({ code, syscall: 'rename', path: 'a', dest: 'b' })
    },
    calls: () => calls,
  }
}

test.each(['EPERM', 'EBUSY', 'EACCES'] as const)(
  'on Windows %s is tried again until it goes',
  async (code) => {
    const { call, calls } = failing(code, 2)
    await retryWhileHeld(call, { platform: 'win32', delaysMs: [0, 0, 0] })
    expect(calls()).toBe(3)
  },
)

test('on Windows the tries come to an end', async () => {
  const { call, calls } = failing('EPERM', Infinity)
  await expect(retryWhileHeld(call, { platform: 'win32', delaysMs: [0, 0] })).rejects.toMatchObject({
    code: 'EPERM',
  })
  expect(calls()).toBe(3)
})

test('on Windows other errors are final', async () => {
  const { call, calls } = failing('ENOENT', 1)
  await expect(retryWhileHeld(call, { platform: 'win32', delaysMs: [0] })).rejects.toMatchObject({
    code: 'ENOENT',
  })
  expect(calls()).toBe(1)
})

test('elsewhere there is one try', async () => {
  const { call, calls } = failing('EBUSY', 1)
  await expect(retryWhileHeld(call, { platform: 'linux', delaysMs: [0] })).rejects.toMatchObject({
    code: 'EBUSY',
  })
  expect(calls()).toBe(1)
})
