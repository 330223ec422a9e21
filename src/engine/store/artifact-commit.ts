import { joinPath, parentFolder } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { DigestPort, FileProgram } from '../../ports/index.ts'
import type { ArtifactRecord } from '../../trace/index.ts'
import { ensureFolder } from './durable-file.ts'

/** Writes one file of an attempt into its staging folder; nothing is durable yet. */
export function* stageArtifact(
  staging: string,
  path: string,
  data: string | Uint8Array,
  durable: Set<string>,
): FileProgram<void> {
  const staged = joinPath(staging, path)
  yield* ensureFolder(parentFolder(staged), durable)
  yield* perform({ op: 'write', path: staged, data })
}

/** Makes a file durable where a step has written it; undefined when there is none. */
export function* adoptArtifact(
  path: string,
  digest: DigestPort,
  durable: Set<string>,
): FileProgram<ArtifactRecord | undefined> {
  const stat = yield* perform({ op: 'stat', path })
  if (stat?.kind !== 'file') return undefined
  yield* ensureFolder(parentFolder(path), durable)
  yield* perform({ op: 'fsync', path })
  yield* perform({ op: 'fsyncFolder', path: parentFolder(path) })
  const bytes = yield* perform({ op: 'read', path })
  if (bytes === undefined) return undefined
  return { path, sha256: digest.sha256(bytes), sizeBytes: bytes.length }
}

/** Makes the staged files of an attempt durable, so that the event that announces them can be trusted. */
export function* settleStaged(staging: string, artifacts: readonly ArtifactRecord[]): FileProgram<void> {
  const folders = new Set<string>()
  for (const { path } of artifacts) {
    const staged = joinPath(staging, path)
    yield* perform({ op: 'fsync', path: staged })
    folders.add(parentFolder(staged))
  }
  for (const folder of folders) yield* perform({ op: 'fsyncFolder', path: folder })
}

/** Moves announced artifacts to their final places and makes the new names durable. */
export function* placeArtifacts(
  staging: string,
  artifacts: readonly ArtifactRecord[],
  durable: Set<string>,
): FileProgram<void> {
  const folders = foldersOf(artifacts)
  for (const folder of folders) yield* ensureFolder(folder, durable)
  for (const { path } of artifacts) yield* perform({ op: 'rename', path: joinPath(staging, path), to: path })
  for (const folder of folders) yield* perform({ op: 'fsyncFolder', path: folder })
}

/**
 * Finishes, after a crash, what `placeArtifacts` had begun: files still staged are moved, files already moved are checked.
 * Answers the path that is neither, or undefined when all are in place.
 */
export function* rollForward(
  staging: string,
  artifacts: readonly ArtifactRecord[],
  digest: DigestPort,
  durable: Set<string>,
): FileProgram<string | undefined> {
  const staged: ArtifactRecord[] = []
  for (const artifact of artifacts) {
    const waiting = yield* perform({ op: 'read', path: joinPath(staging, artifact.path) })
    if (waiting !== undefined && digest.sha256(waiting) === artifact.sha256) staged.push(artifact)
    else if (!(yield* verifies(artifact, digest))) return artifact.path
  }
  yield* placeArtifacts(staging, staged, durable)
  // What was in place already may have been moved there by a process that was killed before it synced the folder.
  for (const folder of foldersOf(artifacts)) {
    yield* ensureFolder(folder, durable)
    yield* perform({ op: 'fsyncFolder', path: folder })
  }
  return undefined
}

function foldersOf(artifacts: readonly ArtifactRecord[]): ReadonlySet<string> {
  return new Set(artifacts.map(({ path }) => parentFolder(path)))
}

/** Whether the file under an artifact's name has the recorded content. */
export function* verifies(artifact: ArtifactRecord, digest: DigestPort): FileProgram<boolean> {
  const bytes = yield* perform({ op: 'read', path: artifact.path })
  return bytes !== undefined && digest.sha256(bytes) === artifact.sha256
}
