import { closeSync, openSync } from 'node:fs'
import { expect, test } from 'vitest'
import { isWithoutFolderSync, syncDescriptor } from '../../../../src/adapters/node/sync.ts'
import { systemError } from '../../../../src/core/index.ts'

const refused = systemError({ code: 'EPERM', syscall: 'fsync', path: 'a' })

test('only on Windows a folder that cannot be synced is no failure', () => {
  expect(isWithoutFolderSync(refused, 'win32')).toBe(true)
  expect(isWithoutFolderSync(refused, 'linux')).toBe(false)
})

test('on Windows, too, a folder that is not there cannot be synced', () => {
  const missing = systemError({ code: 'ENOENT', syscall: 'open', path: 'a' })
  expect(isWithoutFolderSync(missing, 'win32')).toBe(false)
})

test('a sync asks the system, which refuses a descriptor that is closed', async () => {
  const descriptor = openSync(import.meta.filename, 'r')
  closeSync(descriptor)
  await expect(async () => syncDescriptor(descriptor)).rejects.toThrow('EBADF')
})
