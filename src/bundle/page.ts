import { formatDuration } from '../core/index.ts'
import {
  renderPage,
  type RenderedPage,
  type PageArtifact,
  type PageContent,
  type PageFact,
  type PageSession,
  type PageText,
} from '../viewer/index.ts'
import type { AdmittedFile } from './admission.ts'
import type { ArtifactFiles } from './artifact-parts.ts'
import type { BundleSession, BundleSnapshots, BundleView } from './bundle.ts'
import type { BundleLimits, BundleManifest } from './manifest.ts'
import { pageText, pageVersion } from './page-artifact.ts'
import { focusOf } from './session-status.ts'
import { commandLine, notesOf, titleOf } from './summary.ts'

/** `index.html`: the same as the summary and the files, to look around in. Repeats what they hold, as far as one file may grow. */
export function bundlePage(
  view: BundleView,
  artifacts: readonly (readonly ArtifactFiles[])[],
  files: readonly AdmittedFile[],
  { fileBytes }: BundleLimits,
): RenderedPage {
  return renderPage(pageContent(view, artifacts, files), fileBytes)
}

function pageContent(
  { manifest, sessions }: BundleView,
  artifacts: readonly (readonly ArtifactFiles[])[],
  files: readonly AdmittedFile[],
): PageContent {
  const byPath = new Map(files.map((file) => [file.path, file]))
  return {
    title: titleOf(manifest),
    verdict: verdictOf(manifest),
    facts: factsOf(manifest),
    errors: manifest.errors,
    replay: manifest.replay === null ? null : commandLine(manifest.replay),
    notes: [...(manifest.partial ? ['The process died while this was recorded.'] : []), ...notesOf(manifest)],
    sessions: sessions.map((session, index) =>
      pageSession(session, manifest, artifactsOf(artifacts[index] ?? [], byPath)),
    ),
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
  artifacts: PageArtifacts,
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
    ...artifacts,
    originals: entry.originals,
    crashes: session.crashes.filter((crash) => crash !== null),
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

type PageArtifacts = Pick<PageSession, 'artifacts' | 'contents'>

function artifactsOf(
  artifacts: readonly ArtifactFiles[],
  files: ReadonlyMap<string, AdmittedFile>,
): PageArtifacts {
  const contents: Record<string, PageText> = {}
  const named = (path: string | null): AdmittedFile | undefined => {
    const file = path === null ? undefined : files.get(path)
    if (file !== undefined) contents[file.sha256] ??= pageText(file.bytes, file.path)
    return file
  }
  const nameOf = (path: string | null): PageArtifact['newest'] => {
    const file = named(path)
    return file === undefined ? null : { sizeBytes: file.sizeBytes, sha256: file.sha256 }
  }
  return {
    artifacts: artifacts.map(({ path, newest, original, versions }) => ({
      path,
      newest: nameOf(newest),
      original: nameOf(original),
      versions: versions.map(({ file, ...version }) => pageVersion(version, named(file))),
    })),
    contents,
  }
}
