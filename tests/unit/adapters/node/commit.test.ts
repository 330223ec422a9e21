import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { checkedOutCommit } from '../../../../src/adapters/node/index.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'

const [one, two] = ['1'.repeat(40), '2'.repeat(40)]

test.each([
  ['a detached head', { '.git/HEAD': `${one}\n` }, one],
  ['a branch', { '.git/HEAD': 'ref: refs/heads/main\n', '.git/refs/heads/main': `${one}\n` }, one],
  [
    'a packed branch',
    {
      '.git/HEAD': 'ref: refs/heads/main\n',
      '.git/packed-refs': `# pack-refs with: peeled\n${two} refs/heads/not-main\n${one} refs/heads/main\n`,
    },
    one,
  ],
  [
    'a further work tree',
    {
      '.git': 'gitdir: store/worktrees/w\n',
      'store/worktrees/w/HEAD': 'ref: refs/heads/side\n',
      'store/worktrees/w/commondir': '../..\n',
      'store/refs/heads/side': `${two}\n`,
    },
    two,
  ],
  ['a repository without commits', { '.git/HEAD': 'ref: refs/heads/main\n' }, null],
  ['something that is no repository', { '.git/description': 'none\n' }, null],
])('the commit of %s is read from a folder inside', (_, files, commit) => {
  const root = temporaryFolder()
  for (const [path, text] of Object.entries({ ...files, 'src/deep/x': '' })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  expect(checkedOutCommit(join(root, 'src/deep'))).toBe(commit)
})
