import { closeSync, openSync, readFileSync, type Stats } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import type { MaybePromise } from '../../core/index.ts'
import type { FileData } from '../../ports/index.ts'
import { writeAll } from './open-files.ts'

/** Up to this size a file is read or written in place, which takes microseconds; beyond it a thread does the work. */
const inPlaceBytes = 1_048_576

export function readWholeFile(absolute: string, stats: Stats): MaybePromise<Uint8Array> {
  return stats.size <= inPlaceBytes ? plainBytes(readFileSync(absolute)) : readFile(absolute).then(plainBytes)
}

/** @param flag `w` replaces what is there, `wx` fails with EEXIST. */
export function writeWholeFile(absolute: string, data: FileData, flag: 'w' | 'wx'): MaybePromise<void> {
  if (data.length > inPlaceBytes) return writeFile(absolute, data, { flag })
  const descriptor = openSync(absolute, flag)
  try {
    writeAll(descriptor, data)
  } finally {
    closeSync(descriptor)
  }
}

/** Not a `Buffer`: the bytes compare equal to those of a simulated disk. */
function plainBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}
