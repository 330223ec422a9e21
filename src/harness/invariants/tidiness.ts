import type { LoggedEvent } from './event-shapes.ts'
import type { Invariant, Verdict } from './invariant.ts'
import { LogWalk, LogWalks } from './log-walk.ts'
import type { RunReading } from './run-reading.ts'
import { placeOf } from './words.ts'

/** O4 */
export const tidiness: Invariant = {
  name: 'O4',
  title: 'nothing stands in the project or the directories of the engine that no event accounts for',
  needsSoundLog: true,
  check(run, verdict) {
    const accounts = accountWalks.through(run.events)
    judgeProject(run, accounts.paths, verdict)
    accounts.tell(run, verdict)
    if (!run.hasSettled) return
    for (const path of run.evidence.files.keys()) {
      if (path.startsWith(run.stagingFolder)) {
        verdict.broken(`Staged file '${path}' was left behind.`, { path })
      } else if (path.endsWith('.tmp') && run.isEngines(path)) {
        verdict.broken(`Temporary file '${path}' was left behind.`, { path })
      }
    }
  },
}

function judgeProject(run: RunReading, accounted: ReadonlySet<string>, verdict: Verdict): void {
  const { initialFiles, files } = run.evidence
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
  for (const path of initialFiles.keys()) {
    if (files.has(path) || accounted.has(path) || run.isEngines(path)) continue
    verdict.broken(`File '${path}' of the project was removed, and no event says so.`, { path })
  }
}

/** What events speak of; none names an artifact twice. */
class AccountWalk extends LogWalk {
  readonly paths = new Set<string>()

  constructor(before?: AccountWalk) {
    super(before)
    for (const path of before?.paths ?? []) this.paths.add(path)
  }

  follow(event: LoggedEvent): void {
    if (event.kind === 'artifact_edit') this.paths.add(event.artifact.path)
    if (event.kind !== 'artifacts_prepared' && event.kind !== 'step_finish') return
    const paths = event.artifacts.map(({ path }) => path)
    for (const path of paths) this.paths.add(path)
    for (const path of new Set(paths.filter((other, index) => paths.indexOf(other) !== index))) {
      const sentence = `Step '${event.step}' names artifact '${path}' twice in event ${event.seq}.`
      this.broken(sentence, { ...placeOf(event), path })
    }
  }
}

const accountWalks = new LogWalks(AccountWalk)
