import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  createTemporaryRoot,
  makeTemporaryFolder,
  removeFolder,
  removeTemporaryRoots,
} from '../../../../src/adapters/node/index.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'

describe('a temporary root', () => {
  test('is made in the folder for temporary files and removed with all in it', async () => {
    const root = await createTemporaryRoot()
    writeFileSync(join(root.folder, 'file'), '')
    expect(dirname(root.folder)).toBe(realpathSync(tmpdir()))
    expect(basename(root.folder)).toMatch(/^faultline-/)
    await root.remove()
    expect(existsSync(root.folder)).toBe(false)
    await root.remove()
  })

  test('is made where and named as told, without links in its path', async () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'real'))
    symlinkSync('real', join(folder, 'link'))
    const root = await createTemporaryRoot({ parent: join(folder, 'link'), prefix: 'mine' })
    expect(dirname(root.folder)).toBe(join(folder, 'real'))
    expect(basename(root.folder)).toMatch(/^mine-/)
    await root.remove()
    expect(readdirSync(join(folder, 'real'))).toStrictEqual([])
  })

  test('stays when it is to be kept', async () => {
    const folder = temporaryFolder()
    const root = await createTemporaryRoot({ parent: folder, keep: true })
    await root.remove()
    expect(existsSync(root.folder)).toBe(true)
  })

  test('is removed with all that were not, where nobody waits for an exit', async () => {
    const folder = temporaryFolder()
    const roots = [createTemporaryRoot({ parent: folder }), createTemporaryRoot({ parent: folder })]
    const [first] = await Promise.all(roots)
    await first?.remove()
    await removeTemporaryRoots()
    expect(readdirSync(folder)).toStrictEqual([])
  })

  test('is removed when its process exits without having removed it', async () => {
    const folder = temporaryFolder()
    const module = join(import.meta.dirname, '../../../../src/adapters/node/temporary-folders.ts')
    const script = `
      import { createJiti } from 'jiti'
      const { createTemporaryRoot } = await createJiti(import.meta.url).import(${JSON.stringify(module)})
      const { folder } = await createTemporaryRoot({ parent: ${JSON.stringify(folder)} })
      process.stdout.write(folder)
      process.exit(0)`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
    expect(dirname(stdout)).toBe(folder)
    expect(readdirSync(folder)).toStrictEqual([])
  }, 20_000)
})

describe('a temporary folder', () => {
  test('is new each time and shows what it is for', () => {
    const folder = temporaryFolder()
    const first = makeTemporaryFolder(folder, 'Release: resumes / completes')
    const second = makeTemporaryFolder(folder, 'Release: resumes / completes')
    expect(first).not.toBe(second)
    for (const path of [first, second]) {
      expect(dirname(path)).toBe(folder)
      expect(basename(path)).toMatch(/^release-resumes-completes-\w{6}$/)
    }
  })

  test('has a name of bearable length, whatever it is for', () => {
    const folder = temporaryFolder()
    expect(basename(makeTemporaryFolder(folder, 'x'.repeat(300)))).toMatch(/^x{40}-\w{6}$/)
    expect(basename(makeTemporaryFolder(folder, '../..'))).toMatch(/^folder-\w{6}$/)
  })

  test('is removed with all in it, and removing it again does nothing', async () => {
    const folder = temporaryFolder()
    const path = makeTemporaryFolder(folder, 'test')
    mkdirSync(join(path, 'inner'))
    await removeFolder(path)
    await removeFolder(path)
    expect(readdirSync(folder)).toStrictEqual([])
  })
})
