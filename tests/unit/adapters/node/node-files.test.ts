import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  readdirSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createNodeFiles, type NodeFiles } from '../../../../src/adapters/node/index.ts'
import type { FileOperation } from '../../../../src/ports/index.ts'
import { outcomesOf } from '../../../support/files-contract.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'

describe('the files of a folder', () => {
  test('need the folder to exist', () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'file'), '')
    for (const path of [join(folder, 'gone'), join(folder, 'file'), join(folder, 'file/below')]) {
      expect(() => createNodeFiles(path)).toThrow(
        expect.objectContaining({
          code: 'FILE_NOT_FOUND',
          message: `There is no folder '${path}'. Create it first, or name another.`,
        }),
      )
    }
  })

  test('are those of the folder that a link leads to', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'real'))
    symlinkSync('real', join(folder, 'link'))
    const files = createNodeFiles(join(folder, 'link'))
    await files.perform({ op: 'write', path: 'a', data: '1' })
    expect(files.root).toBe(join(folder, 'real'))
    expect(readFileSync(join(folder, 'real/a'), 'utf8')).toBe('1')
  })

  test('answer with promises only, failures too', async () => {
    const folder = temporaryFolder()
    const answer = createNodeFiles(folder).perform({ op: 'write', path: '../a', data: '' })
    expect(answer).toBeInstanceOf(Promise)
    await expect(answer).rejects.toMatchObject({ code: 'PATH_OUTSIDE' })
  })

  test('fail without telling where the folder lies', async () => {
    const folder = temporaryFolder()
    const failure = createNodeFiles(folder).perform({ op: 'write', path: 'a/b', data: '' })
    await expect(failure).rejects.toMatchObject({
      code: 'ENOENT',
      syscall: 'open',
      path: 'a/b',
      message: `ENOENT: no such file or directory, open 'a/b'`,
    })
    await expect(failure).rejects.not.toHaveProperty('cause')
  })

  test('fail under the path that was given also with errors that we have no text for', async () => {
    const folder = temporaryFolder()
    const path = 'x'.repeat(300)
    await expect(createNodeFiles(folder).perform({ op: 'makeFolder', path })).rejects.toMatchObject({
      code: 'ENAMETOOLONG',
      syscall: 'mkdir',
      path,
      message: `ENAMETOOLONG: mkdir '${path}'`,
    })
  })

  test('may be large', async () => {
    const folder = temporaryFolder()
    const files = createNodeFiles(folder)
    const data = new Uint8Array(3_000_000).fill(7)
    await files.perform({ op: 'write', path: 'a', data })
    expect(await files.perform({ op: 'writeNew', path: 'a', data })).toBe(false)
    expect(await files.perform({ op: 'writeNew', path: 'b', data })).toBe(true)
    for (const path of ['a', 'b']) {
      const read = (await files.perform({ op: 'read', path })) as Uint8Array
      expect(Buffer.compare(read, data)).toBe(0)
    }
  })
})

describe('a new file', () => {
  test('is seen with all of its content, never with a part of it, and leaves nothing else', async () => {
    const files = createNodeFiles(temporaryFolder())
    const writer = createNodeFiles(files.root)
    const data = new Uint8Array(8_000_000).fill(7)
    const made = writer.perform({ op: 'writeNew', path: 'new', data })
    let seen = await files.perform({ op: 'stat', path: 'new' })
    while (seen === undefined) {
      await new Promise((resolve) => setImmediate(resolve))
      seen = await files.perform({ op: 'stat', path: 'new' })
    }
    expect(seen.sizeBytes).toBe(data.length)
    expect(await made).toBe(true)
    expect(readdirSync(files.root)).toEqual(['new'])
  })
})

describe('an appended file', () => {
  const append: FileOperation = { op: 'append', path: 'log', data: '1' }

  test('is opened once and kept open until it is closed', async () => {
    const folder = temporaryFolder()
    const files = createNodeFiles(folder)
    await files.perform(append)
    unlinkSync(join(folder, 'log'))
    await files.perform(append)
    expect(existsSync(join(folder, 'log'))).toBe(false)
    await files.perform({ op: 'close', path: 'log' })
    await files.perform(append)
    expect(readFileSync(join(folder, 'log'), 'utf8')).toBe('1')
    await files.closeAll()
  })

  test('is let go of by closeAll', async () => {
    const folder = temporaryFolder()
    const files = createNodeFiles(folder)
    await files.perform(append)
    unlinkSync(join(folder, 'log'))
    await files.closeAll()
    await files.perform(append)
    expect(existsSync(join(folder, 'log'))).toBe(true)
    await files.closeAll()
  })

  test('is synced through the descriptor that is open', async () => {
    const folder = temporaryFolder()
    const files = createNodeFiles(folder)
    await files.perform(append)
    unlinkSync(join(folder, 'log'))
    expect(await files.perform({ op: 'fsync', path: 'log' })).toBeUndefined()
    await files.closeAll()
    await expect(files.perform({ op: 'fsync', path: 'log' })).rejects.toThrow(/^ENOENT/)
  })

  test('is closed only after the syncs under way', async () => {
    const folder = temporaryFolder()
    const files = createNodeFiles(folder)
    for (let round = 0; round < 20; round++) {
      await files.perform(append)
      const syncs = [files.perform({ op: 'fsync', path: 'log' }), files.perform({ op: 'fsync', path: 'log' })]
      await files.perform({ op: 'close', path: 'log' })
      expect(await Promise.all(syncs)).toStrictEqual([undefined, undefined])
    }
  })
})

describe('a link', () => {
  test('is followed within the folder and listed as neither file nor folder', async () => {
    const folder = temporaryFolder()
    const files = linkedFolder(folder)
    expect(
      await outcomesOf(files, [
        { op: 'write', path: 'inside/new', data: '1' },
        { op: 'append', path: 'to-file', data: '2' },
        { op: 'read', path: 'target/new' },
        { op: 'stat', path: 'inside' },
        { op: 'list', path: '' },
      ]),
    ).toStrictEqual([
      undefined,
      undefined,
      new TextEncoder().encode('12'),
      { kind: 'folder', sizeBytes: 0 },
      [
        { name: 'inside', kind: 'other' },
        { name: 'outside', kind: 'other' },
        { name: 'outside-file', kind: 'other' },
        { name: 'target', kind: 'folder' },
        { name: 'to-file', kind: 'other' },
        { name: 'to-nothing', kind: 'other' },
      ],
    ])
    await files.closeAll()
  })

  const leadingOut: readonly FileOperation[] = [
    { op: 'read', path: 'outside/secret' },
    { op: 'read', path: 'outside-file' },
    { op: 'list', path: 'outside' },
    { op: 'stat', path: 'outside' },
    { op: 'stat', path: 'outside/secret' },
    { op: 'write', path: 'outside/new', data: '1' },
    { op: 'write', path: 'outside-file', data: '1' },
    { op: 'write', path: 'to-nothing', data: '1' },
    { op: 'writeNew', path: 'outside/new', data: '1' },
    { op: 'append', path: 'outside-file', data: '1' },
    { op: 'append', path: 'to-nothing', data: '1' },
    { op: 'fsync', path: 'outside-file' },
    { op: 'fsyncFolder', path: 'outside' },
    { op: 'rename', path: 'outside/secret', to: 'stolen' },
    { op: 'rename', path: 'target', to: 'outside/gone' },
    { op: 'remove', path: 'outside/secret' },
    { op: 'removeFolder', path: 'outside/folder' },
    { op: 'makeFolder', path: 'outside/new' },
  ]

  test.each(leadingOut)('out of the folder is refused: $op $path', async (operation) => {
    const folder = temporaryFolder()
    const files = linkedFolder(folder)
    await expect(files.perform(operation)).rejects.toMatchObject({ code: 'PATH_OUTSIDE' })
    expect(readFileSync(join(folder, 'elsewhere/secret'), 'utf8')).toBe('s')
    expect(existsSync(join(folder, 'elsewhere/folder'))).toBe(true)
    expect(existsSync(join(folder, 'elsewhere/new'))).toBe(false)
  })

  test('out of the folder is refused in words that say which link it is', async () => {
    const folder = temporaryFolder()
    const files = linkedFolder(folder)
    await expect(files.perform({ op: 'read', path: 'outside/secret' })).rejects.toThrow(
      `The path 'outside/secret' leaves its folder: 'outside' leads outside through a link. Replace the link by the file or folder that is meant.`,
    )
    await expect(files.perform({ op: 'read', path: 'to-nothing' })).rejects.toThrow(
      `The path 'to-nothing' leaves its folder: it is a link to nothing. Replace the link by the file or folder that is meant.`,
    )
  })

  test('to a folder whose name only begins like the root is outside', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'project'))
    mkdirSync(join(folder, 'project-2'))
    symlinkSync('../project-2', join(folder, 'project/link'))
    const files = createNodeFiles(join(folder, 'project'))
    await expect(files.perform({ op: 'list', path: 'link' })).rejects.toMatchObject({ code: 'PATH_OUTSIDE' })
  })

  test('itself can be renamed and removed, and what it leads to stays', async () => {
    const folder = temporaryFolder()
    const files = linkedFolder(folder)
    await files.perform({ op: 'rename', path: 'outside-file', to: 'renamed' })
    expect(readlinkSync(join(folder, 'root/renamed'))).toBe('../elsewhere/secret')
    expect(await files.perform({ op: 'remove', path: 'renamed' })).toBe(true)
    expect(await files.perform({ op: 'remove', path: 'outside' })).toBe(true)
    await expect(files.perform({ op: 'removeFolder', path: 'inside' })).rejects.toThrow(/^ENOTDIR/)
    expect(readFileSync(join(folder, 'elsewhere/secret'), 'utf8')).toBe('s')
  })

  test('in a removed folder does not take along what it leads to', async () => {
    const folder = temporaryFolder()
    const files = linkedFolder(folder)
    symlinkSync('../../elsewhere', join(folder, 'root/target/link'))
    expect(await files.perform({ op: 'removeFolder', path: 'target' })).toBe(true)
    expect(readFileSync(join(folder, 'elsewhere/secret'), 'utf8')).toBe('s')
  })
})

/** `root`, with links into itself and out to `elsewhere`. */
function linkedFolder(folder: string): NodeFiles {
  const root = join(folder, 'root')
  mkdirSync(join(root, 'target'), { recursive: true })
  mkdirSync(join(folder, 'elsewhere/folder'), { recursive: true })
  writeFileSync(join(folder, 'elsewhere/secret'), 's')
  symlinkSync('target', join(root, 'inside'))
  symlinkSync('target/new', join(root, 'to-file'))
  writeFileSync(join(root, 'target/new'), '')
  symlinkSync('../elsewhere', join(root, 'outside'))
  symlinkSync('../elsewhere/secret', join(root, 'outside-file'))
  symlinkSync('../elsewhere/new', join(root, 'to-nothing'))
  return createNodeFiles(root)
}
