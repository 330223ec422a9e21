import { decodeUtf8, joinPath } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { DigestPort, FileProgram } from '../../ports/index.ts'
import type { EventOf } from '../../trace/index.ts'
import { corrupt } from './corrupt.ts'
import { ensureFolder } from './durable-file.ts'
import type { StoredRun } from './read-run.ts'

/**
 * Leaves a small file named like the checkpoint, for people and tools that look at folders. The log has all that it says
 * and is what gets read; so it is best effort, and a crash may cut it short.
 */
export function* writeCheckpointRecord(
  folder: string,
  event: EventOf<'checkpoint'>,
  durableFolders: Set<string>,
): FileProgram<void> {
  try {
    yield* ensureFolder(folder, durableFolders)
    yield* perform({
      op: 'write',
      path: joinPath(folder, `${event.name}.json`),
      data: `${JSON.stringify(event)}\n`,
    })
  } catch {
    // The event is durable; that is what counts.
  }
}

/** Behind the checksum and the space. */
const jsonAt = 9

/** The checkpoints in a log, each held against the line that it names. */
export function checkpointsOf(
  { layout, log, logBytes }: StoredRun,
  digest: DigestPort,
): readonly EventOf<'checkpoint'>[] {
  const checkpoints = log.events.filter((event) => event.kind === 'checkpoint')
  if (checkpoints.length === 0) return []
  const lines = decodeUtf8(logBytes.subarray(0, log.validBytes)).split('\n')
  for (const { name, throughSeq, lineSha256 } of checkpoints) {
    if (digest.sha256(lines[throughSeq]?.slice(jsonAt) ?? '') === lineSha256) continue
    throw corrupt(
      layout.log,
      `line ${throughSeq + 1} (event ${throughSeq}) is not the one that checkpoint '${name}' was made of`,
      { line: throughSeq + 1, seq: throughSeq },
    )
  }
  return checkpoints
}
