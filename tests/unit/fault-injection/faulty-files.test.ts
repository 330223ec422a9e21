import { constants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createNodeFiles } from '../../../src/adapters/node/index.ts'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import type { SystemError } from '../../../src/core/index.ts'
import type { FileErrorCode, FileFault } from '../../../src/definition/index.ts'
import { faultyFiles, fileFaultOperations } from '../../../src/fault-injection/index.ts'
import type { FileOperation, FilesPort } from '../../../src/ports/index.ts'
import { treeOf } from '../../support/files-contract.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

/** Every operation, possible on a disk that holds `log` with `1` and `folder/a`, with the calls that fail in it. */
const failingCalls: readonly [operation: FileOperation, call: string, openingCall?: string][] = [
  [{ op: 'read', path: 'log' }, 'read', 'open'],
  [{ op: 'list', path: 'folder' }, 'scandir'],
  [{ op: 'stat', path: 'log' }, 'lstat'],
  [{ op: 'write', path: 'log', data: '2345' }, 'write', 'open'],
  [{ op: 'writeNew', path: 'new', data: '2345' }, 'write', 'open'],
  [{ op: 'append', path: 'log', data: '2345' }, 'write', 'open'],
  [{ op: 'fsync', path: 'log' }, 'fsync', 'open'],
  [{ op: 'fsyncFolder', path: 'folder' }, 'fsync', 'open'],
  [{ op: 'rename', path: 'log', to: 'old' }, 'rename'],
  [{ op: 'remove', path: 'log' }, 'unlink'],
  [{ op: 'removeFolder', path: 'folder' }, 'rmdir'],
  [{ op: 'makeFolder', path: 'new' }, 'mkdir'],
  [{ op: 'close', path: 'log' }, 'close'],
]

const errors: readonly FileErrorCode[] = ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EMFILE']

async function simulated(): Promise<FilesPort> {
  return createVirtualFiles({ log: '1', 'folder/a': '' })
}

async function real(): Promise<FilesPort> {
  const files = createNodeFiles(temporaryFolder())
  await files.perform({ op: 'write', path: 'log', data: '1' })
  await files.perform({ op: 'makeFolder', path: 'folder' })
  await files.perform({ op: 'write', path: 'folder/a', data: '' })
  return files
}

describe.each([
  ['the simulated disk', simulated],
  ['a real folder', real],
])('a fault on %s', { timeout: 30_000 }, (_name, makeFiles) => {
  test('before an operation leaves the disk as it was and gives the error of the call', async () => {
    const files = await makeFiles()
    const before = await treeOf(files)
    for (const [operation, call, openingCall] of failingCalls) {
      for (const error of errors) {
        const opens = error === 'EROFS' || error === 'EACCES' || error === 'EMFILE'
        const thrown = (await thrownBy(failing(files, { mode: 'before', error }), operation)) as SystemError
        expect([operation.op, error, thrown.syscall]).toEqual([
          operation.op,
          error,
          opens ? (openingCall ?? call) : call,
        ])
        expect(thrown.errno).toBe(-constants.errno[error])
        expect(thrown).toMatchObject({ code: getSystemErrorName(thrown.errno), path: operation.path })
        expect(thrown.dest).toBe(operation.op === 'rename' ? operation.to : undefined)
      }
    }
    expect(await treeOf(files)).toStrictEqual(before)
  })

  test('after an operation leaves it done', async () => {
    for (const [operation] of failingCalls) {
      const [files, spared] = [await makeFiles(), await makeFiles()]
      const thrown = await thrownBy(failing(files, { mode: 'after', error: 'EIO' }), operation)
      expect(thrown).toMatchObject({ code: 'EIO', errno: -5 })
      await spared.perform(operation)
      expect([operation.op, await treeOf(files)]).toStrictEqual([operation.op, await treeOf(spared)])
    }
  })

  test('after an operation that fails by itself gives the error of the disk', async () => {
    const files = failing(await makeFiles(), { mode: 'after', error: 'EIO' })
    expect(await thrownBy(files, { op: 'fsync', path: 'none' })).toMatchObject({ code: 'ENOENT' })
  })

  test.each([
    ['append', 'log', 'aüb', [49, 97, 0xc3]],
    ['write', 'log', new Uint8Array([2, 3, 4]), [2]],
  ] as const)('that cuts short leaves half of the bytes: %s', async (op, path, data, left) => {
    const files = await makeFiles()
    const thrown = await thrownBy(failing(files, { mode: 'short', error: 'ENOSPC' }), { op, path, data })
    expect(thrown).toMatchObject({ code: 'ENOSPC', errno: -28, syscall: 'write', path })
    expect(await files.perform({ op: 'read', path })).toStrictEqual(new Uint8Array(left))
  })

  test('that flips a bit is in what is read and not on the disk', async () => {
    const files = await makeFiles()
    const read = { op: 'read', path: 'log' } as const
    expect(await failing(files, { mode: 'flipped', bit: 1 }).perform(read)).toStrictEqual(
      new Uint8Array([49 ^ 2]),
    )
    expect(await failing(files, { mode: 'flipped', bit: 8 }).perform(read)).toStrictEqual(
      new Uint8Array([49 ^ 1]),
    )
    expect(await files.perform(read)).toStrictEqual(new Uint8Array([49]))
    const nothing = failing(files, { mode: 'flipped', bit: 0 })
    expect(await nothing.perform({ op: 'read', path: 'folder/a' })).toStrictEqual(new Uint8Array())
    expect(await nothing.perform({ op: 'read', path: 'none' })).toBeUndefined()
  })

  test('comes where it is decided and nowhere else', async () => {
    let appends = 0
    const files = faultyFiles(await makeFiles(), ({ op }) =>
      op === 'append' && ++appends === 2 ? { mode: 'before', error: 'EIO' } : undefined,
    )
    const append = { op: 'append', path: 'log', data: '2' } as const
    await files.perform(append)
    expect(await thrownBy(files, append)).toMatchObject({ code: 'EIO' })
    await files.perform(append)
    expect(await files.perform({ op: 'read', path: 'log' })).toStrictEqual(new TextEncoder().encode('122'))
  })
})

describe('a fault of the simulated disk alone', () => {
  test('an fsync that lies leaves nothing durable, and an honest one after it everything', () => {
    const files = createVirtualFiles({ log: '1' })
    const lying = failing(files, { mode: 'lying' })
    files.perform({ op: 'append', path: 'log', data: '2' })
    files.perform({ op: 'write', path: 'new', data: '3' })
    void lying.perform({ op: 'fsync', path: 'log' })
    void lying.perform({ op: 'fsyncFolder', path: '' })
    expect(textsOf(files.afterCrash('power-min'))).toEqual({ log: '1' })
    files.perform({ op: 'fsync', path: 'log' })
    files.perform({ op: 'fsyncFolder', path: '' })
    expect(textsOf(files.afterCrash('power-min'))).toEqual({ log: '12', new: '' })
  })

  test('an fsync that fails and drops is followed by one that succeeds and writes nothing of it', async () => {
    const files = createVirtualFiles({ log: '1' })
    const dropping = faultyFiles(
      files,
      () => ({ mode: 'dropped', error: 'EIO' }),
      (path) => files.dropUnsynced(path),
    )
    files.perform({ op: 'append', path: 'log', data: '2' })
    expect(await thrownBy(dropping, { op: 'fsync', path: 'log' })).toMatchObject({
      code: 'EIO',
      syscall: 'fsync',
    })
    files.perform({ op: 'fsync', path: 'log' })
    expect(textsOf(files)).toEqual({ log: '12' })
    expect(textsOf(files.afterCrash('power-min'))).toEqual({ log: '1\0' })
  })
})

test('a fault that its operation cannot have is a mistake of whoever decides', async () => {
  const operations = failingCalls.map(([operation]) => operation)
  for (const fault of [
    { mode: 'short', error: 'EIO' },
    { mode: 'dropped', error: 'EIO' },
    { mode: 'lying' },
    { mode: 'flipped', bit: 0 },
  ] as const) {
    for (const operation of operations) {
      const fits = fileFaultOperations[fault.mode].includes(operation.op)
      const files = faultyFiles(
        await simulated(),
        () => fault,
        () => {},
      )
      const message = String(await thrownBy(files, operation))
      expect([fault.mode, operation.op, message.includes(`a '${fault.mode}' fault fits`)]).toEqual([
        fault.mode,
        operation.op,
        !fits,
      ])
    }
  }
})

function failing(files: FilesPort, fault: FileFault): FilesPort {
  return faultyFiles(files, () => fault)
}

async function thrownBy(files: FilesPort, operation: FileOperation): Promise<unknown> {
  try {
    await files.perform(operation)
    return undefined
  } catch (error) {
    return error
  }
}

function textsOf(files: ReturnType<typeof createVirtualFiles>): Record<string, string> {
  const decoder = new TextDecoder()
  return Object.fromEntries([...files.snapshotFiles()].map(([path, bytes]) => [path, decoder.decode(bytes)]))
}
