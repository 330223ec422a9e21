import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { isError, isSystemError, isSystemErrorCode, messageOf, systemError } from '../../../src/core/index.ts'

test('a made system error looks like the one of Node', () => {
  const real = thrownBy(() => readFileSync('/no/such/file')) as NodeJS.ErrnoException
  const made = systemError({ code: 'ENOENT', syscall: 'open', path: '/no/such/file' })
  expect(made.message).toBe(real.message)
  expect({ ...made }).toStrictEqual({ ...real })
})

test('a made system error has no frames, and leaves those of others as they were', () => {
  const limit = Error.stackTraceLimit
  const { message, stack } = systemError({ code: 'EIO', syscall: 'write', path: 'notes.md' })
  expect(stack).toBe(`Error: ${message}`)
  expect(Error.stackTraceLimit).toBe(limit)
})

test('a made system error of a rename names both paths', () => {
  const made = systemError({ code: 'EISDIR', syscall: 'rename', path: 'a', dest: 'b' })
  expect(made.message).toBe(`EISDIR: illegal operation on a directory, rename 'a' -> 'b'`)
  expect(made.dest).toBe('b')
})

test('system errors are told from others, and by code', () => {
  const made = systemError({ code: 'ENOSPC', syscall: 'write', path: 'a' })
  expect(isSystemError(made)).toBe(true)
  expect(isSystemError(made, 'EIO', 'ENOSPC')).toBe(true)
  expect(isSystemError(made, 'EIO')).toBe(false)
  expect(isSystemError(new Error('ENOSPC'))).toBe(false)
  expect(isSystemError({ code: 'ENOSPC', syscall: 'write' })).toBe(false)
})

test('the codes that can be made are known', () => {
  expect(isSystemErrorCode('EROFS')).toBe(true)
  expect(isSystemErrorCode('toString')).toBe(false)
})

function thrownBy(call: () => unknown): unknown {
  try {
    return call()
  } catch (error) {
    return error
  }
}

test('errors of another realm are errors too', () => {
  const foreign = runInNewContext(
    `Object.assign(new Error('no such file'), { code: 'ENOENT', syscall: 'open' })`,
  )
  expect(foreign).not.toBeInstanceOf(Error)
  expect([isSystemError(foreign, 'ENOENT'), isError(foreign), messageOf(foreign)]).toEqual([
    true,
    true,
    'no such file',
  ])
})
