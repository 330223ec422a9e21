import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createNodeFiles } from '../../../src/adapters/node/index.ts'
import { createMemfsFiles, createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { fileOperations } from '../../support/file-operations.ts'
import { filesContract, outcomesOf, treeOf, type Divergences } from '../../support/files-contract.ts'

let root = ''

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'faultline-files-'))
})

afterAll(() => {
  rmSync(root, { recursive: true })
})

const freshNodeFiles = () => createNodeFiles(mkdtempSync(join(root, 'disk-')))

/** What memfs does instead. A case that it has learned to do right turns its test red, and can go from here. */
const memfsDivergences: Divergences = {
  'does not unlink a folder': [
    true,
    { fails: `EPERM: operation not permitted, unlink 'a'` },
    { kind: 'folder', sizeBytes: 0 },
  ],
  'does not replace a folder by a file': [undefined, true, undefined, { kind: 'file', sizeBytes: 1 }],
  'does not replace a file by a folder': [true, undefined, undefined, { kind: 'folder', sizeBytes: 0 }],
  'does not replace a folder that holds something': [true, true, undefined, undefined, undefined],
  'does not replace a folder by something in it': [true, undefined, undefined, undefined],
  'does not move a folder into itself': [true, true, undefined, undefined],
}

filesContract('the virtual disk', () => createVirtualFiles())
filesContract('the folder on Node', freshNodeFiles)
filesContract('the memfs volume', async () => (await createMemfsFiles()).files, memfsDivergences)

describe('the virtual disk and the real one', () => {
  test('answer every sequence of operations alike and end with the same tree', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fileOperations, { minLength: 1, maxLength: 30 }), async (operations) => {
        const virtual = createVirtualFiles()
        const node = freshNodeFiles()
        const expected = await outcomesOf(node, operations)
        expect(await outcomesOf(virtual, operations)).toStrictEqual(expected)
        expect(await treeOf(virtual)).toStrictEqual(await treeOf(node))
        await node.closeAll()
      }),
      { numRuns: 200, seed: 20_260_101 },
    )
  }, 30_000)
})
