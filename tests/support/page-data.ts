import type { PageContent, PageSession } from '../../src/viewer/index.ts'
import { pageData, type SessionData } from '../../src/viewer/page-data.ts'
import { timelineOf, type SessionRecording } from '../../src/trace/index.ts'
import { sampleRecording } from './sample-run.ts'

export function pageSession(recording: SessionRecording = sampleRecording()): PageSession {
  const { events, snapshots, logs, plan, resolvedPlan, definition, input } = recording
  return {
    facts: [],
    focus: null,
    events,
    timeline: timelineOf(events),
    snapshots: [snapshots.beforeFailure, snapshots.atFailure].filter((snapshot) => snapshot !== null),
    logs,
    ...pageArtifact('dist/app.js', 'app.run()\n'),
    originals: 'template',
    crashes: [],
    plan,
    resolvedPlan,
    definition,
    input,
  }
}

/** An artifact with one version, new in the run. */
export function pageArtifact(path: string, text: string): Pick<PageSession, 'artifacts' | 'contents'> {
  const content = { sizeBytes: text.length, sha256: 'c'.repeat(64) }
  return {
    artifacts: [
      { path, newest: content, original: null, versions: [{ ...content, seq: 5, by: 'build#1@1' }] },
    ],
    contents: { [content.sha256]: { text, note: null } },
  }
}

export function pageContent(change: Partial<PageContent> = {}): PageContent {
  return {
    title: 'release',
    verdict: { word: 'failed', good: false },
    facts: [],
    errors: [],
    replay: null,
    notes: [],
    sessions: [pageSession()],
    files: [],
    ...change,
  }
}

/** What the script of a page is given of a recording. */
export function sessionData(recording: SessionRecording = sampleRecording()): SessionData {
  const [session] = pageData(pageContent({ sessions: [pageSession(recording)] }), 'whole').sessions
  return session as SessionData
}
