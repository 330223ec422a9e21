import { createNodeFiles } from '../adapters/node/index.ts'
import type { Directories, FilesPort, RunReader } from '../ports/index.ts'
import type {
  OriginalFiles,
  RecordedFile,
  RecordedSnapshots,
  SessionRecording,
  WorkflowEvent,
  WorkflowSnapshot,
} from '../trace/index.ts'
import { originalsInTemplate } from './artifact-history.ts'
import { runReader } from './process-run.ts'
import { filesOfTemplate } from './project.ts'
import { snapshotOf } from './snapshots.ts'

/** What the death of its process has left of a run. */
export type RunRemains = Pick<SessionRecording, 'snapshots' | 'artifacts' | 'originals'>

/**
 * Reads from a project's folder what a session would have recorded of a run, had its process lived; undefined when the run is
 * not there, as that of a simulated disk.
 *
 * @param template what the project was made from
 */
export async function readRunRemains(
  projectFolder: string,
  runId: string,
  directories: Directories,
  template: TemplatePlace,
): Promise<RunRemains | undefined> {
  const files = createNodeFiles(projectFolder)
  const remains = await remainsIn(files, runReader(projectFolder, directories), runId, template)
  await files.closeAll()
  return remains
}

/** The same of a run on any disk. */
export async function remainsIn(
  files: FilesPort,
  reader: RunReader,
  runId: string,
  template: TemplatePlace | null,
): Promise<RunRemains | undefined> {
  if (!(await reader.list()).includes(runId)) return undefined
  const { state, events } = await reader.read(runId)
  const artifacts: RecordedFile[] = []
  for (const { path } of state.artifacts) {
    const bytes = await files.perform({ op: 'read', path })
    if (bytes !== undefined) artifacts.push({ path, bytes })
  }
  const paths = state.artifacts.map(({ path }) => path)
  return {
    snapshots: await snapshotsAt(events, reader, runId),
    artifacts,
    originals: template === null ? null : originalsIn(template, paths),
  }
}

/** The name of a template, and where those lie that are not faultline's own. */
export interface TemplatePlace {
  readonly name: string
  readonly templates: string | null
}

/** Null for a project without a template: what lay in it before is gone. */
function originalsIn({ name, templates }: TemplatePlace, paths: readonly string[]): OriginalFiles | null {
  return name === 'none' ? null : originalsInTemplate(filesOfTemplate(name, templates ?? undefined), paths)
}

/** The same that a session takes by itself; a run that was still going failed where it ended. */
async function snapshotsAt(
  events: readonly WorkflowEvent[],
  reader: RunReader,
  runId: string,
): Promise<RecordedSnapshots> {
  const take = async (label: string, throughSeq?: number): Promise<WorkflowSnapshot> =>
    snapshotOf(await reader.read(runId, throughSeq), label)
  const beforeResume: WorkflowSnapshot[] = []
  const afterResume: WorkflowSnapshot[] = []
  for (const { kind, seq } of events) {
    if (kind !== 'workflow_resume') continue
    beforeResume.push(await take(`before-resume-${beforeResume.length + 1}`, seq - 1))
    afterResume.push(await take(`after-resume-${afterResume.length + 1}`, seq))
  }
  const failed = events.findIndex((event) => event.kind === 'workflow_end' && event.status === 'failed')
  if (failed === -1) {
    const ended = events.at(-1)?.kind === 'workflow_end'
    return {
      beforeFailure: null,
      atFailure: ended ? null : await take('at-failure'),
      beforeResume,
      afterResume,
    }
  }
  const earlier = events.slice(0, failed + 1)
  const life = earlier.slice(earlier.findLastIndex(({ kind }) => kind === 'workflow_resume') + 1)
  const failing = life.find(({ kind }) => kind === 'step_fail' || kind === 'workflow_end')
  return {
    beforeFailure: await take('before-failure', (failing?.seq ?? failed) - 1),
    atFailure: await take('at-failure', events[failed]?.seq),
    beforeResume,
    afterResume,
  }
}
