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
    artifacts: [{ path: 'dist/app.js', sizeBytes: 10, text: 'app.run()\n', note: null }],
    plan,
    resolvedPlan,
    definition,
    input,
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
