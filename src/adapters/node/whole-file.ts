import { closeSync, linkSync, openSync, readFileSync, unlinkSync, type Stats } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { isSystemError } from '../../core/index.ts'
import type { MaybePromise } from '../../core/index.ts'
import type { FileData } from '../../ports/index.ts'
import { writeAll } from './open-files.ts'

/** Up to this size a file is read or written in place, which takes microseconds; beyond it a thread does the work. */
const inPlaceBytes = 1_048_576

export function readWholeFile(absolute: string, stats: Stats): MaybePromise<Uint8Array> {
  return stats.size <= inPlaceBytes ? plainBytes(readFileSync(absolute)) : readFile(absolute).then(plainBytes)
}

/** @param flag `w` replaces what is there, `wx` fails with EEXIST. */
export function writeWholeFile(absolute: string, data: FileData, flag: 'w' | 'wx' = 'w'): MaybePromise<void> {
  if (data.length > inPlaceBytes) return writeFile(absolute, data, { flag })
  const descriptor = openSync(absolute, flag)
  try {
    writeAll(descriptor, data)
  } finally {
    closeSync(descriptor)
  }
}

/** A file system without links of files answers with one of these. */
const withoutLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']

/** How often a temporary file may be swept away by somebody else before that is an error. */
const mostTries = 10

let written = 0

/**
 * Makes a file with its whole content at once, so that nobody ever reads a part of it: it is written under another name, which
 * only then gets the wanted one. Where the file system has no links, the content follows the name.
 *
 * @throws Error of the system with code `EEXIST` when something has the name.
 */
export async function writeNewFile(absolute: string, data: FileData): Promise<void> {
  for (let tries = 1; ; tries++) {
    const temporary = `${absolute}.${process.pid}-${++written}.tmp`
    try {
      await writeWholeFile(temporary, data, 'wx')
      return linkSync(temporary, absolute)
    } catch (error) {
      if (withoutLinks.some((code) => isSystemError(error, code)))
        return await writeWholeFile(absolute, data, 'wx')
      if (tries === mostTries || !isSystemError(error, 'ENOENT')) throw error
    } finally {
      tryToRemove(temporary)
    }
  }
}

function tryToRemove(absolute: string): void {
  try {
    unlinkSync(absolute)
  } catch {
    // Recovery sweeps it away, and it must not hide why the write failed.
  }
}

/** Not a `Buffer`: the bytes compare equal to those of a simulated disk. */
function plainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}
