import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TinyFileSystem {
  /** A fresh folder on it. */
  folder(): string
  unmount(): void
}

/** A real file system of a few pages, or why there is none: only root may mount one. */
export function mountTinyFileSystem(sizeBytes: number): TinyFileSystem | string {
  const root = mkdtempSync(join(tmpdir(), 'faultline-tiny-'))
  const options = ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', root]
  const { status, stderr, error } = spawnSync('mount', options, { encoding: 'utf8' })
  if (status !== 0) {
    rmdirSync(root)
    return `no tiny file system could be mounted: ${error?.message ?? stderr.trim()}`
  }
  let folders = 0
  return {
    folder() {
      const folder = join(root, String(++folders))
      mkdirSync(folder)
      return folder
    },
    unmount() {
      spawnSync('umount', ['--lazy', root])
      rmdirSync(root)
    },
  }
}
