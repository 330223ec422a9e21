import { formatDuration, formatStepKey, joinPath } from '../core/index.ts'
import type { DigestPort } from '../ports/index.ts'
import {
  oneLine,
  timelineMarkdown,
  timelineOf,
  type LogEntry,
  type SessionRecording,
  type WorkflowSnapshot,
} from '../trace/index.ts'
import type { BundlePart } from './admission.ts'
import { artifactParts, type ArtifactFiles } from './artifact-parts.ts'
import type { BundleSession } from './bundle.ts'
import { crashReport } from './crash-report.ts'
import { crashPath, sessionFiles, sessionFolder, snapshotFiles } from './layout.ts'
import type { BundleLimits } from './manifest.ts'
import { indentedJson, payloadLimits } from './payload-limits.ts'
import type { Redactor } from './redact.ts'

export interface SessionParts {
  readonly folder: string
  readonly session: Omit<BundleSession, 'entry'>
  readonly documents: readonly BundlePart[]
  readonly artifacts: readonly BundlePart[]
  /** Where the contents of each artifact are. */
  readonly artifactFiles: readonly ArtifactFiles[]
}

export interface SessionPartsOptions {
  readonly redact: Redactor
  readonly limits: BundleLimits
  readonly digest: DigestPort
}

/** Redacts one recording and lays it out as files. Redaction comes first: a cut could leave half a secret behind. */
export function sessionParts(
  recording: SessionRecording,
  index: number,
  options: SessionPartsOptions,
): SessionParts {
  const folder = sessionFolder(index)
  const redacted = redactedSession(recording, options)
  return {
    folder,
    session: redacted.session,
    documents: documents(folder, redacted),
    ...artifactParts(folder, recording, options),
  }
}

/** A session, and the texts of its largest parts: measuring them has made these already. */
interface RedactedSession {
  readonly session: Omit<BundleSession, 'entry'>
  readonly eventLines: readonly string[]
  readonly snapshotTexts: ReadonlyMap<WorkflowSnapshot, string>
}

function redactedSession(
  recording: SessionRecording,
  { redact, limits, digest }: SessionPartsOptions,
): RedactedSession {
  const fit = payloadLimits(limits.payloadBytes, digest)
  const snapshotTexts = new Map<WorkflowSnapshot, string>()
  const snapshot = (taken: WorkflowSnapshot): WorkflowSnapshot => {
    const { value, json } = fit.snapshot(redact.json(taken))
    snapshotTexts.set(value, json)
    return value
  }
  const { snapshots } = recording
  const written = redact.json(recording.events).map(fit.event)
  const events = written.map(({ value }) => value)
  const session = {
    events,
    timeline: timelineOf(events),
    snapshots: {
      beforeFailure: snapshots.beforeFailure && snapshot(snapshots.beforeFailure),
      atFailure: snapshots.atFailure && snapshot(snapshots.atFailure),
      beforeResume: snapshots.beforeResume.map(snapshot),
      afterResume: snapshots.afterResume.map(snapshot),
    },
    plan: redact.json(recording.plan),
    resolvedPlan: redact.json(recording.resolvedPlan),
    definition: redact.json(recording.definition),
    input: redact.json(recording.input),
    logs: redact.json(recording.logs).map(fit.logEntry),
    crashes: recording.crashes.map((crash) => crashReport(crash, { redact, digest })),
  }
  return { session, eventLines: written.map(({ json }) => json), snapshotTexts }
}

function documents(
  folder: string,
  { session, eventLines, snapshotTexts }: RedactedSession,
): readonly BundlePart[] {
  const { events, timeline, logs } = session
  const startedAt = events[0]?.at ?? logs[0]?.at ?? 0
  const header = { schema: 'faultline-timeline/1', runId: events[0]?.runId ?? null }
  return [
    lines(joinPath(folder, sessionFiles.timeline), jsonLines([header, ...timeline])),
    {
      path: joinPath(folder, sessionFiles.readableTimeline),
      data: `# Timeline\n\n${timelineMarkdown(timeline)}\n`,
      whenTooLarge: 'cut',
    },
    ...snapshotFiles(folder, session.snapshots).map(({ path, snapshot }) =>
      document(path, snapshotTexts.get(snapshot) ?? indentedJson(snapshot)),
    ),
    ...session.crashes.map((crash, index) => document(crashPath(folder, index), indentedJson(crash))),
    document(joinPath(folder, sessionFiles.plan), indentedJson(session.plan)),
    document(joinPath(folder, sessionFiles.resolvedPlan), indentedJson(session.resolvedPlan)),
    document(joinPath(folder, sessionFiles.definition), indentedJson(session.definition)),
    document(joinPath(folder, sessionFiles.input), indentedJson(session.input)),
    lines(joinPath(folder, sessionFiles.log), jsonLines(logs)),
    lines(
      joinPath(folder, sessionFiles.readableLog),
      logs.map((entry) => logLine(entry, startedAt)),
    ),
    lines(joinPath(folder, sessionFiles.events), eventLines),
  ]
}

function document(path: string, json: string): BundlePart {
  return { path, data: `${json}\n`, whenTooLarge: 'omit' }
}

function lines(path: string, texts: readonly string[]): BundlePart {
  return { path, data: texts.map((text) => `${text}\n`).join(''), whenTooLarge: 'cut' }
}

function jsonLines(values: readonly unknown[]): readonly string[] {
  return values.map((value) => JSON.stringify(value))
}

function logLine(entry: LogEntry, startedAt: number): string {
  const { step, visit, attempt } = entry
  const place =
    step === undefined
      ? []
      : [visit === undefined || attempt === undefined ? step : formatStepKey({ step, visit, attempt })]
  return [`+${formatDuration(entry.at - startedAt)}`, entry.level, ...place, oneLine(entry.message)].join(
    '  ',
  )
}
