import { expect, test } from 'vitest'
import { createMemfsFiles } from '../../../../src/adapters/virtual/index.ts'

test('the port and the fs API show the same files', async () => {
  const { files, fs } = await createMemfsFiles()
  files.perform({ op: 'makeFolder', path: 'src' })
  files.perform({ op: 'append', path: 'src/app.js', data: 'one' })
  await fs.promises.appendFile('/src/app.js', ' two')
  expect(fs.readFileSync('/src/app.js', 'utf8')).toBe('one two')
  fs.symlinkSync('/src/gone.js', '/src/link.js')
  expect(files.perform({ op: 'list', path: 'src' })).toStrictEqual([
    { name: 'app.js', kind: 'file' },
    { name: 'link.js', kind: 'other' },
  ])
})

test('two volumes share nothing', async () => {
  const [first, second] = [await createMemfsFiles(), await createMemfsFiles()]
  first.files.perform({ op: 'write', path: 'a', data: '1' })
  expect(second.files.perform({ op: 'list', path: '' })).toStrictEqual([])
})
