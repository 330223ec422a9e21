import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { copyTemplate, createNodeFiles, readTemplate } from '../../../../src/adapters/node/index.ts'
import { treeOf } from '../../../support/files-contract.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'

describe('a template', () => {
  test('holds the files of its folder, dotfiles under their real names, and nothing installed or run', () => {
    const folder = temporaryFolder()
    place(folder, {
      'package.json': '{}',
      _gitignore: 'dist',
      'src/app.js': 'app',
      'src/_npmrc': 'fund=false',
      'node_modules/left-pad/index.js': '',
      '.git/HEAD': '',
      '.workflow/last.json': '',
    })
    symlinkSync('package.json', join(folder, 'link'))
    expect([...readTemplate(folder)].map(([path, bytes]) => [path, text(bytes)])).toStrictEqual([
      ['.gitignore', 'dist'],
      ['package.json', '{}'],
      ['src/.npmrc', 'fund=false'],
      ['src/app.js', 'app'],
    ])
  })

  test('is read once', () => {
    const folder = temporaryFolder()
    place(folder, { a: '1' })
    const files = readTemplate(folder)
    place(folder, { a: '2', b: '3' })
    expect(readTemplate(join(folder, '.'))).toBe(files)
  })

  test('needs a folder, and is looked for again when there was none', () => {
    const folder = temporaryFolder()
    const gone = join(folder, 'gone')
    expect(() => readTemplate(gone)).toThrow(
      expect.objectContaining({ code: 'FILE_NOT_FOUND', message: `There is no template folder '${gone}'.` }),
    )
    place(folder, { 'gone/a': '1' })
    expect([...readTemplate(gone).keys()]).toStrictEqual(['a'])
  })

  test('is copied with its folders', async () => {
    const folder = temporaryFolder()
    const files = new Map([
      ['a', new Uint8Array([0, 255])],
      ['b/c/d', new Uint8Array([1])],
      ['b/e', new Uint8Array([2])],
    ])
    copyTemplate(files, folder)
    expect(await treeOf(createNodeFiles(folder))).toStrictEqual({
      a: new Uint8Array([0, 255]),
      b: 'folder',
      'b/c': 'folder',
      'b/c/d': new Uint8Array([1]),
      'b/e': new Uint8Array([2]),
    })
  })

  test('is not copied out of the folder', () => {
    const folder = temporaryFolder()
    const files = new Map([['../escaped', new Uint8Array()]])
    expect(() => copyTemplate(files, folder)).toThrow(expect.objectContaining({ code: 'PATH_OUTSIDE' }))
    expect(() => readFileSync(join(folder, '../escaped'))).toThrow('ENOENT')
  })
})

function place(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, data] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), data)
  }
}

function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes)
}
