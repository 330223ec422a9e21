import { containedPath, joinPath } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { FileProgram } from '../../ports/index.ts'
import { placeArtifacts, rollForward, settleStaged, stageArtifact } from '../store/artifact-commit.ts'
import type { RunLayout } from '../store/layout.ts'
import { commit, note } from './live-run.ts'
import type { LiveRun } from './live-run.ts'

/**
 * Changes a project file from outside the steps, by the protocol of artifacts: staged, announced in the log, moved into place. A
 * crash leaves the old file and no word of the edit, or an announcement from which `finishEdits` goes on.
 */
export function* editArtifact(run: LiveRun, path: string, data: Uint8Array): FileProgram<void> {
  run.log.assertUsable()
  const target = containedPath(path, 'path to edit')
  const artifact = { path: target, sha256: run.ports.digest.sha256(data), sizeBytes: data.length }
  const staging = editStaging(run.layout, run.state.seq + 1)
  yield* stageArtifact(staging, target, data, run.durableFolders)
  yield* settleStaged(staging, [artifact])
  note(run, { kind: 'artifact_edit', status: 'edited', artifact })
  yield* commit(run)
  try {
    yield* placeArtifacts(staging, [artifact], run.durableFolders)
    yield* perform({ op: 'removeFolder', path: staging })
  } catch (error) {
    throw run.log.poison(error)
  }
}

/** Moves announced edits into place that a crash has left staged. One that is already in place has nothing staged any more. */
export function* finishEdits(run: LiveRun): FileProgram<void> {
  for (const { seq, ...artifact } of run.state.edits)
    yield* rollForward(editStaging(run.layout, seq), [artifact], run.ports.digest, run.durableFolders)
}

/** Keyed by the event that announces the edit: what was staged and never announced belongs to no edit. */
function editStaging(layout: RunLayout, seq: number): string {
  return joinPath(layout.staging, `edit@${seq}`)
}
