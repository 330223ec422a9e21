import { mkdtempSync, realpathSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

export interface TemporaryRootOptions {
  /** Where the root is made. Default: the system's folder for temporary files. A memory-backed one is about twice as fast. */
  readonly parent?: string
  /** How its name begins. Default `faultline`. */
  readonly prefix?: string
  /** `remove` leaves it in place, for a look at what the tests did. Default false. */
  readonly keep?: boolean
}

/** One folder for all temporary folders of a process; removed at the latest when that process exits. */
export interface TemporaryRoot {
  /** Without links: on macOS the system's temporary folder is one. */
  readonly folder: string
  /** Removes the folder and all in it, unless it is kept. Called again, it does nothing. */
  remove(): Promise<void>
}

const roots = new Set<TemporaryRoot>()

export async function createTemporaryRoot(options: TemporaryRootOptions = {}): Promise<TemporaryRoot> {
  const { parent, prefix = 'faultline', keep = false } = options
  const { dir, setGracefulCleanup } = await import('tmp-promise')
  // Without this tmp leaves the folder behind when the process exits before `remove` was called.
  if (!keep) setGracefulCleanup()
  const place = parent === undefined ? {} : { tmpdir: parent }
  const { path } = await dir({ prefix, keep, unsafeCleanup: true, ...place })
  const folder = realpathSync.native(path)
  const root: TemporaryRoot = {
    folder,
    async remove() {
      roots.delete(root)
      if (!keep) await removeFolder(folder)
    },
  }
  roots.add(root)
  return root
}

/** Removes what nobody has removed so far, for threads and processes that are ended without an `exit` of their own. */
export async function removeTemporaryRoots(): Promise<void> {
  for (const root of roots) await root.remove()
}

/** Makes a new folder in a root; `name` (of a test, say) shows in its name. */
export function makeTemporaryFolder(root: string, name: string): string {
  return mkdtempSync(join(root, `${readableName(name)}-`))
}

/** Removes a folder and all in it. Does nothing when there is none. */
export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
}

/** Short and plain, since paths have limits and shells have opinions. */
function readableName(name: string): string {
  const plain = name.toLowerCase().match(/[a-z0-9]+/g) ?? ['folder']
  return plain.join('-').slice(0, 40)
}
