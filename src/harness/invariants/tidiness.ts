import type { Invariant, Verdict } from './invariant.ts'
import type { RunReading } from './run-reading.ts'
import { placeOf } from './words.ts'

/** O4 */
export const tidiness: Invariant = {
  name: 'O4',
  title: 'nothing stands in the project or the directories of the engine that no event accounts for',
  needsSoundLog: true,
  check(run, verdict) {
    judgeProject(run, verdict)
    judgeAnnouncements(run, verdict)
    if (!run.hasSettled) return
    for (const path of run.evidence.files.keys()) {
      if (path.startsWith(`${run.runFolder}/staging/`)) {
        verdict.broken(`Staged file '${path}' was left behind.`, { path })
      } else if (run.isEngines(path) && path.endsWith('.tmp')) {
        verdict.broken(`Temporary file '${path}' was left behind.`, { path })
      }
    }
  },
}

function judgeProject(run: RunReading, verdict: Verdict): void {
  const { initialFiles, files } = run.evidence
  const accounted = accountedPaths(run)
  for (const [path, bytes] of run.projectFiles(files)) {
    if (accounted.has(path)) continue
    const before = initialFiles.get(path)
    if (before === undefined) {
      const sentence = `File '${path}' was made by nobody: it is no file of the project, no artifact and no recorded edit.`
      verdict.broken(sentence, { path })
    } else if (run.sha256Of(before) !== run.sha256Of(bytes)) {
      verdict.broken(`File '${path}' of the project was changed, and no event says so.`, { path })
    }
  }
  for (const [path] of run.projectFiles(initialFiles)) {
    if (files.has(path) || accounted.has(path)) continue
    verdict.broken(`File '${path}' of the project was removed, and no event says so.`, { path })
  }
}

function judgeAnnouncements(run: RunReading, verdict: Verdict): void {
  for (const event of run.events) {
    if (event.kind !== 'artifacts_prepared' && event.kind !== 'step_finish') continue
    const paths = event.artifacts.map(({ path }) => path)
    for (const path of new Set(paths.filter((other, index) => paths.indexOf(other) !== index))) {
      const sentence = `Step '${event.step}' names artifact '${path}' twice in event ${event.seq}.`
      verdict.broken(sentence, { ...placeOf(event), path })
    }
  }
}

/** Paths that events speak of. */
function accountedPaths(run: RunReading): ReadonlySet<string> {
  const paths = new Set<string>()
  for (const event of run.events) {
    if (event.kind === 'artifact_edit') paths.add(event.artifact.path)
    if (event.kind !== 'artifacts_prepared' && event.kind !== 'step_finish') continue
    for (const { path } of event.artifacts) paths.add(path)
  }
  return paths
}
