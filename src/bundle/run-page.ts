import { formatDuration } from '../core/index.ts'
import type { DigestPort } from '../ports/index.ts'
import {
  artifactVersions,
  describeStepError,
  timelineOf,
  type LogEntry,
  type ObservedStatus,
  type RecordedFile,
  type StateDocument,
  type WorkflowEvent,
} from '../trace/index.ts'
import { renderPage, type PageSession, type PageText } from '../viewer/index.ts'
import { pageText, pageVersion } from './page-artifact.ts'
import type { Redactor } from './redact.ts'
import { focusOf } from './session-status.ts'

/** A run as it lies on disk, whether it failed or not. */
export interface PagedRun {
  readonly state: StateDocument
  readonly status: ObservedStatus
  readonly events: readonly WorkflowEvent[]
  /** What its steps logged, oldest first. */
  readonly logs: readonly LogEntry[]
  /** Artifacts that are there. */
  readonly artifacts: readonly RecordedFile[]
}

/** The page of a run that left no bundle, redacted like one. */
export function runPage(
  { state: whole, status, events: all, logs, artifacts }: PagedRun,
  redact: Redactor,
  digest: DigestPort,
): Uint8Array {
  const state = redact.json(whole)
  const events = redact.json(all)
  const timeline = timelineOf(events)
  const { definition, runId, correlationId, seed, error } = state
  const snapshot = {
    label: 'now',
    runId,
    correlationId,
    status,
    seq: state.seq,
    state,
    artifacts: state.artifacts,
  }
  const page = renderPage({
    title: definition.name,
    verdict: { word: status, good: status === 'completed' },
    facts: [
      { label: 'Workflow', text: `${definition.id} ${definition.version}` },
      { label: 'Seed', text: String(seed) },
      { label: 'Correlation', text: correlationId },
    ],
    errors:
      error === null ? [] : [{ name: error.step ?? 'run', message: describeStepError(error), stack: null }],
    replay: null,
    notes: [],
    sessions: [
      {
        facts: [
          { label: 'Run', text: runId },
          { label: 'Took', text: formatDuration(timeline.at(-1)?.offsetMs ?? 0) },
        ],
        focus: focusOf(timeline, 'run-failed') ?? null,
        events,
        timeline,
        snapshots: [snapshot],
        logs: redact.json(logs),
        ...pagedArtifacts(events, artifacts, redact, digest),
        originals: null,
        crashes: [],
        plan: null,
        resolvedPlan: null,
        definition,
        input: state.input,
      },
    ],
    files: [],
  })
  // Without a limit there is always one.
  return page.html as Uint8Array
}

/** Of what was replaced the events tell digest and size; its bytes are gone. */
function pagedArtifacts(
  events: readonly WorkflowEvent[],
  artifacts: readonly RecordedFile[],
  redact: Redactor,
  digest: DigestPort,
): Pick<PageSession, 'artifacts' | 'contents'> {
  const contents: Record<string, PageText> = {}
  const versions = artifactVersions(events)
  const paged = artifacts.map(({ path: recorded, bytes: whole }) => {
    const path = redact.text(recorded)
    const bytes = redact.bytes(whole)
    const newest = { sizeBytes: bytes.length, sha256: digest.sha256(bytes) }
    contents[newest.sha256] ??= pageText(bytes, path)
    const all = versions.filter((version) => version.path === path)
    const last = all.at(-1)?.sha256
    return {
      path,
      newest,
      original: null,
      versions: all.map((version) => pageVersion(version, version.sha256 === last ? newest : undefined)),
    }
  })
  return { artifacts: paged, contents }
}
