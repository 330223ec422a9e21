import { parentFolder } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { FileData, FileProgram } from '../../ports/index.ts'

/** Suffix of files that are being replaced; recovery sweeps what a crash left behind. */
export const temporarySuffix = '.tmp'

/**
 * Makes a folder and those above it, each durable in its parent before anything is put into it. One that is there may have been
 * made by a process that was killed before it synced it, so it is synced once in every life.
 *
 * @param durable folders that this life has seen to
 */
export function* ensureFolder(path: string, durable: Set<string>): FileProgram<void> {
  if (path === '') return
  if (durable.has(path) && (yield* perform({ op: 'stat', path }))?.kind === 'folder') return
  const parent = parentFolder(path)
  yield* ensureFolder(parent, durable)
  yield* perform({ op: 'makeFolder', path })
  yield* perform({ op: 'fsyncFolder', path: parent })
  durable.add(path)
}

/**
 * Replaces a file as a whole: after a crash it holds the old content or the new, never a mixture.
 *
 * @param temporary where the new content is prepared; nobody else may write there
 */
export function* replaceFile(
  path: string,
  data: FileData,
  temporary = path + temporarySuffix,
): FileProgram<void> {
  yield* perform({ op: 'write', path: temporary, data })
  yield* perform({ op: 'fsync', path: temporary })
  yield* perform({ op: 'rename', path: temporary, to: path })
  yield* perform({ op: 'fsyncFolder', path: parentFolder(path) })
}
