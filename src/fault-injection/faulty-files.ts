import { assert, systemError, whenReady, type MaybePromise, type SystemErrorCode } from '../core/index.ts'
import type { FileErrorCode, FileFault } from '../definition/index.ts'
import type { FileData, FileOperation, FileResults, FilesPort } from '../ports/index.ts'

type OperationName = FileOperation['op']

/** The call of the operating system that each operation is made of, and fails in. */
const calls: Readonly<Record<OperationName, string>> = {
  read: 'read',
  list: 'scandir',
  stat: 'lstat',
  write: 'write',
  writeNew: 'write',
  append: 'write',
  fsync: 'fsync',
  fsyncFolder: 'fsync',
  rename: 'rename',
  remove: 'unlink',
  removeFolder: 'rmdir',
  makeFolder: 'mkdir',
  close: 'close',
}

const opening = new Set(['read', 'write', 'fsync'])

/** What a file cannot even be opened with. */
const openingErrors = new Set<FileErrorCode>(['EACCES', 'EMFILE', 'EROFS'])

const operations = Object.keys(calls) as OperationName[]

/** The operations that each mode of a fault is for. */
export const fileFaultOperations: Readonly<Record<FileFault['mode'], readonly OperationName[]>> = {
  before: operations,
  short: ['write', 'append'],
  after: operations,
  dropped: ['fsync'],
  lying: ['fsync', 'fsyncFolder'],
  flipped: ['read'],
}

/**
 * Makes file operations fail as `decide` says, with the errors that a real disk gives.
 *
 * @param dropUnsynced What `dropped` does to the disk; only a simulated one can do it.
 */
export function faultyFiles(
  files: FilesPort,
  decide: (operation: FileOperation) => FileFault | undefined,
  dropUnsynced?: (path: string) => void,
): FilesPort {
  function perform(operation: FileOperation): MaybePromise<FileResults[OperationName]> {
    const fault = decide(operation)
    if (fault === undefined) return files.perform(operation)
    assert(
      fileFaultOperations[fault.mode].includes(operation.op),
      `a '${fault.mode}' fault fits`,
      operation.op,
    )
    switch (fault.mode) {
      case 'before':
        throw failure(operation, fault.error)
      case 'short':
        return failed(files.perform(shortened(operation)), failure(operation, fault.error))
      case 'after':
        return failed(files.perform(operation), failure(operation, fault.error))
      case 'dropped':
        assert(dropUnsynced !== undefined, 'the disk is one that can drop what was not synced')
        dropUnsynced(operation.path)
        throw failure(operation, fault.error)
      case 'lying':
        return undefined
      case 'flipped':
        return whenReady(files.perform(operation), (bytes) =>
          withFlippedBit(bytes as FileResults['read'], fault.bit),
        )
    }
  }
  return { perform: perform as FilesPort['perform'] }
}

function failed(performed: MaybePromise<unknown>, error: Error): MaybePromise<never> {
  return whenReady(performed, () => {
    throw error
  })
}

const encoder = new TextEncoder()

function shortened(operation: FileOperation): FileOperation {
  if (!('data' in operation)) return operation
  const { op, path, data } = operation
  return { op, path, data: firstHalf(data) }
}

function firstHalf(data: FileData): Uint8Array {
  const bytes = typeof data === 'string' ? encoder.encode(data) : data
  return bytes.slice(0, Math.floor(bytes.length / 2))
}

function withFlippedBit(bytes: Uint8Array | undefined, bit: number): Uint8Array | undefined {
  if (bytes === undefined || bytes.length === 0) return bytes
  const index = Math.floor(bit / 8) % bytes.length
  return bytes.with(index, (bytes[index] ?? 0) ^ (1 << (bit % 8)))
}

function failure(operation: FileOperation, error: FileErrorCode): Error {
  const { op, path } = operation
  const call = calls[op]
  const facts = {
    code: systemCode(error),
    syscall: openingErrors.has(error) && opening.has(call) ? 'open' : call,
    path,
  }
  return systemError(op === 'rename' ? { ...facts, dest: operation.to } : facts)
}

/** Node has no name for a full quota, and says so. */
function systemCode(error: FileErrorCode): SystemErrorCode {
  return error === 'EDQUOT' ? 'Unknown system error -122' : error
}
