import { closeSync, constants, fsync, openSync } from 'node:fs'
import { isSystemError } from '../../core/index.ts'

/** The one wait for the disk itself, up to many milliseconds: never in place. */
export function syncDescriptor(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(descriptor, (error) => (error ? reject(error) : resolve()))
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
