import fc from 'fast-check'
import type { FileOperation } from '../../src/ports/index.ts'

/** Few names, three levels: so that operations of a sequence meet. */
const names = fc.constantFrom('a', 'b', 'c')
const paths = fc.array(names, { minLength: 1, maxLength: 3, size: 'max' }).map((parts) => parts.join('/'))
const folderPaths = fc.oneof({ weight: 1, arbitrary: fc.constant('') }, { weight: 4, arbitrary: paths })
const data = fc.oneof(fc.string({ maxLength: 8, unit: 'binary' }), fc.uint8Array({ maxLength: 8 }))

/** Any of the thirteen operations, on paths that often exist. */
export const fileOperations: fc.Arbitrary<FileOperation> = fc.oneof(
  fc.record({ op: fc.constantFrom('makeFolder' as const), path: folderPaths }),
  fc.record({ op: fc.constantFrom('makeFolder' as const), path: names }),
  fc.record({ op: fc.constantFrom('write', 'writeNew', 'append'), path: paths, data }),
  fc.record({ op: fc.constantFrom('append' as const), path: paths, data }),
  fc.record({ op: fc.constantFrom('list', 'stat', 'fsyncFolder', 'read'), path: folderPaths }),
  fc.record({ op: fc.constantFrom('fsync', 'close', 'remove', 'removeFolder'), path: paths }),
  fc.record({ op: fc.constant('rename' as const), path: paths, to: paths }),
  fc.record({ op: fc.constant('rename' as const), path: paths, to: paths }),
)
