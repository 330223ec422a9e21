import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, assert, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createNodeFiles } from '../../../src/adapters/node/index.ts'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { systemError } from '../../../src/core/index.ts'
import { faultyFiles } from '../../../src/fault-injection/index.ts'
import type { FileOperation, FilesPort } from '../../../src/ports/index.ts'
import { mountTinyFileSystem } from '../../support/tiny-file-system.ts'

interface FullDisk {
  /** Holds `log` with `1`; what is more than some pages does not fit. */
  readonly files: FilesPort
  readonly makeRoom: () => void
}

const pageBytes = 4_096
const data = new Uint8Array(5 * pageBytes).map((_, index) => 1 + (index % 255))
const noSpace = (path: string): Error => systemError({ code: 'ENOSPC', syscall: 'write', path })

/** Real, and injected: whoever meets the one must not be able to tell it from the other. */
function behavesAsFull(makeDisk: () => Promise<FullDisk>): void {
  test.each([
    ['append', 'log', [49]],
    ['write', 'log', []],
    ['write', 'new', []],
  ] as const)('%s of what does not fit fails after a part of it: %s', async (op, path, before) => {
    const { files } = await makeDisk()
    expect(await thrownBy(files, { op, path, data })).toStrictEqual(noSpace(path))
    const left = (await files.perform({ op: 'read', path })) as Uint8Array
    const written = left.length - before.length
    expect(written).toBeGreaterThan(0)
    expect(written).toBeLessThan(data.length)
    expect(left).toStrictEqual(new Uint8Array([...before, ...data.slice(0, written)]))
  })

  test('writeNew of what does not fit fails and leaves nothing', async () => {
    const { files } = await makeDisk()
    expect(await thrownBy(files, { op: 'writeNew', path: 'new', data })).toStrictEqual(noSpace('new'))
    expect((await files.perform({ op: 'list', path: '' }))?.map(({ name }) => name)).not.toContainEqual(
      expect.stringContaining('new'),
    )
  })

  test('what was cut short goes on behind the cut once there is room', async () => {
    const { files, makeRoom } = await makeDisk()
    await thrownBy(files, { op: 'append', path: 'log', data })
    const { sizeBytes = 0 } = (await files.perform({ op: 'stat', path: 'log' })) ?? {}
    makeRoom()
    await files.perform({ op: 'append', path: 'log', data })
    await files.perform({ op: 'fsync', path: 'log' })
    const left = (await files.perform({ op: 'read', path: 'log' })) as Uint8Array
    expect(left.slice(sizeBytes)).toStrictEqual(data)
  })

  test('removing, renaming and reading need no room', async () => {
    const { files } = await makeDisk()
    await thrownBy(files, { op: 'write', path: 'new', data })
    await files.perform({ op: 'rename', path: 'log', to: 'old' })
    expect(await files.perform({ op: 'remove', path: 'new' })).toBe(true)
    expect(await files.perform({ op: 'read', path: 'old' })).toStrictEqual(new Uint8Array([49]))
  })
}

describe('a real file system that is full', () => {
  const mounted = mountTinyFileSystem(16 * pageBytes)

  beforeEach(({ skip }) => {
    if (typeof mounted === 'string') skip(mounted)
  })

  afterAll(() => {
    if (typeof mounted !== 'string') mounted.unmount()
  })

  behavesAsFull(async () => {
    assert(typeof mounted !== 'string')
    const folder = mounted.folder()
    const ballast = join(folder, 'ballast')
    const files = createNodeFiles(folder)
    onTestFinished(async () => {
      await files.closeAll()
      rmSync(folder, { recursive: true })
    })
    await files.perform({ op: 'write', path: 'log', data: '1' })
    writeFileSync(ballast, new Uint8Array(12 * pageBytes))
    return { files, makeRoom: () => rmSync(ballast) }
  })
})

describe('a simulated disk whose writes are cut short', () => {
  behavesAsFull(async () => {
    let full = true
    const files = faultyFiles(createVirtualFiles({ log: '1' }), (operation) =>
      full && 'data' in operation
        ? { mode: operation.op === 'writeNew' ? 'before' : 'short', error: 'ENOSPC' }
        : undefined,
    )
    return {
      files,
      makeRoom() {
        full = false
      },
    }
  })
})

async function thrownBy(files: FilesPort, operation: FileOperation): Promise<unknown> {
  try {
    await files.perform(operation)
    return undefined
  } catch (error) {
    return error
  }
}
