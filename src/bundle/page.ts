import { formatDuration, joinPath } from '../core/index.ts'
import {
  renderPage,
  type RenderedPage,
  type PageArtifact,
  type PageContent,
  type PageFact,
  type PageSession,
} from '../viewer/index.ts'
import type { AdmittedFile } from './admission.ts'
import type { BundleSession, BundleSnapshots, BundleView } from './bundle.ts'
import { sessionFiles } from './layout.ts'
import type { BundleLimits, BundleManifest } from './manifest.ts'
import { pageArtifact } from './page-artifact.ts'
import { focusOf } from './session-status.ts'
import { commandLine, titleOf } from './summary.ts'

/** `index.html`: the same as the summary and the files, to look around in. Repeats what they hold, as far as one file may grow. */
export function bundlePage(
  view: BundleView,
  files: readonly AdmittedFile[],
  { fileBytes }: BundleLimits,
): RenderedPage {
  return renderPage(pageContent(view, files), fileBytes)
}

function pageContent({ manifest, sessions }: BundleView, files: readonly AdmittedFile[]): PageContent {
  return {
    title: titleOf(manifest),
    verdict: verdictOf(manifest),
    facts: factsOf(manifest),
    errors: manifest.errors,
    replay: manifest.replay === null ? null : commandLine(manifest.replay),
    notes: [...(manifest.partial ? ['The process died while this was recorded.'] : []), ...manifest.notes],
    sessions: sessions.map((session) => pageSession(session, manifest, files)),
    files: [
      ...manifest.files.map(({ path, sizeBytes, truncated }) => ({
        path,
        sizeBytes,
        note: truncated === null ? null : `cut from ${truncated.originalBytes} bytes`,
      })),
      ...manifest.omitted.map(({ path, sizeBytes, why }) => ({ path, sizeBytes, note: `left out: ${why}` })),
    ],
  }
}

function verdictOf({ test, sessions }: BundleManifest): PageContent['verdict'] {
  const word = test === null ? (sessions[0]?.status ?? 'failed') : 'failed'
  return { word, good: word === 'completed' }
}

function factsOf({ test, reason, seed, correlationIds, versions }: BundleManifest): PageFact[] {
  const { faultline, node, vitest, platform } = versions
  return [
    { label: 'Reason', text: reason },
    ...(test === null
      ? []
      : [
          { label: 'Test', text: `${test.file}${test.line === null ? '' : `:${test.line}`}` },
          { label: 'Attempt', text: String(test.attempt) },
        ]),
    ...(seed === null ? [] : [{ label: 'Seed', text: String(seed) }]),
    ...(correlationIds.length === 0 ? [] : [{ label: 'Correlation', text: correlationIds.join(', ') }]),
    {
      label: 'With',
      text: `faultline ${faultline}, Node ${node}${vitest === null ? '' : `, Vitest ${vitest}`}, ${platform}`,
    },
  ]
}

function pageSession(
  session: BundleSession,
  manifest: BundleManifest,
  files: readonly AdmittedFile[],
): PageSession {
  const { entry, events, timeline, snapshots, logs, plan, resolvedPlan, definition, input } = session
  return {
    facts: [
      { label: 'Run', text: entry.runId },
      { label: 'Status', text: entry.status },
      { label: 'Took', text: formatDuration(timeline.at(-1)?.offsetMs ?? 0) },
      { label: 'Clock', text: entry.clock },
      { label: 'Disk', text: entry.disk },
    ],
    focus: focusOf(timeline, manifest.reason) ?? null,
    events,
    timeline,
    snapshots: inOrder(snapshots),
    logs,
    artifacts: artifactsOf(entry.folder, files),
    plan,
    resolvedPlan,
    definition,
    input,
  }
}

function inOrder({
  beforeFailure,
  atFailure,
  beforeResume,
  afterResume,
}: BundleSnapshots): PageSession['snapshots'] {
  const resumes = beforeResume.flatMap((before, index) => [before, afterResume[index] ?? null])
  return [beforeFailure, atFailure, ...resumes]
    .filter((snapshot) => snapshot !== null)
    .toSorted((left, right) => left.seq - right.seq)
}

function artifactsOf(folder: string, files: readonly AdmittedFile[]): PageArtifact[] {
  const prefix = `${joinPath(folder, sessionFiles.artifacts)}/`
  return files
    .filter(({ path }) => path.startsWith(prefix))
    .map(({ path, bytes }) => pageArtifact(path.slice(prefix.length), bytes, path))
}
