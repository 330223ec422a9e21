import { expect, test } from 'vitest'
import { isWithoutFolderSync } from '../../../../src/adapters/node/sync.ts'
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
