import { closeSync, constants, fsync, fsyncSync, openSync } from 'node:fs'
import { isSystemError, type MaybePromise } from '../../core/index.ts'

/** A hop to one of Node's threads and back costs about a quarter of this; a wait that is longer must not stop the process. */
const worthAThreadMs = 1

let lastSyncMs = 0

/**
 * The one wait for the disk itself, from a tenth of a millisecond to many. In place while the disk is quick, in a thread while
 * it is not, as the last sync has shown.
 */
export function syncDescriptor(descriptor: number): MaybePromise<void> {
  const start = performance.now()
  const took = (): void => {
    lastSyncMs = performance.now() - start
  }
  if (lastSyncMs < worthAThreadMs) {
    fsyncSync(descriptor)
    took()
    return undefined
  }
  return new Promise((resolve, reject) => {
    fsync(descriptor, (error) => {
      took()
      if (error) reject(error)
      else resolve()
    })
  })
}

export async function syncFile(absolute: string): Promise<void> {
  await syncAndClose(openForSync(absolute))
}

export async function syncFolder(absolute: string, platform: string): Promise<void> {
  try {
    await syncAndClose(openSync(absolute, constants.O_RDONLY | constants.O_DIRECTORY))
  } catch (error) {
    if (!isWithoutFolderSync(error, platform)) throw error
  }
}

/** Windows cannot sync folders and says so in one of these ways; its file system journals names by itself. */
export function isWithoutFolderSync(error: unknown, platform: string): boolean {
  return platform === 'win32' && isSystemError(error, 'EPERM', 'EISDIR', 'EACCES')
}

/** For writing, because Windows syncs no other files and a folder then fails as it should; read-only files otherwise. */
function openForSync(absolute: string): number {
  try {
    return openSync(absolute, 'r+')
  } catch (error) {
    if (isSystemError(error, 'EACCES', 'EPERM', 'EROFS')) return openSync(absolute, 'r')
    throw error
  }
}

async function syncAndClose(descriptor: number): Promise<void> {
  try {
    await syncDescriptor(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
