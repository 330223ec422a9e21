import { formatDuration, formatStepKey, joinPath } from '../core/index.ts'
import type { DigestPort } from '../ports/index.ts'
import {
  oneLine,
  timelineMarkdown,
  timelineOf,
  type LogEntry,
  type SessionRecording,
} from '../trace/index.ts'
import type { BundlePart } from './admission.ts'
import { artifactParts, type ArtifactFiles } from './artifact-parts.ts'
import type { BundleSession } from './bundle.ts'
import { crashReport } from './crash-report.ts'
import { crashPath, sessionFiles, sessionFolder, snapshotFiles } from './layout.ts'
import type { BundleLimits } from './manifest.ts'
import { payloadLimits } from './payload-limits.ts'
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
  const session = redactedSession(recording, options)
  return {
    folder,
    session,
    documents: documents(folder, session),
    ...artifactParts(folder, recording, options),
  }
}

function redactedSession(
  recording: SessionRecording,
  { redact, limits, digest }: SessionPartsOptions,
): Omit<BundleSession, 'entry'> {
  const fit = payloadLimits(limits.payloadBytes, digest)
  const { snapshots } = recording
  const events = redact.json(recording.events).map(fit.event)
  return {
    events,
    timeline: timelineOf(events),
    snapshots: {
      beforeFailure: snapshots.beforeFailure && fit.snapshot(redact.json(snapshots.beforeFailure)),
      atFailure: snapshots.atFailure && fit.snapshot(redact.json(snapshots.atFailure)),
      beforeResume: redact.json(snapshots.beforeResume).map(fit.snapshot),
      afterResume: redact.json(snapshots.afterResume).map(fit.snapshot),
    },
    plan: redact.json(recording.plan),
    resolvedPlan: redact.json(recording.resolvedPlan),
    definition: redact.json(recording.definition),
    input: redact.json(recording.input),
    logs: redact.json(recording.logs).map(fit.logEntry),
    crashes: recording.crashes.map((crash) => crashReport(crash, { redact, digest })),
  }
}

function documents(folder: string, session: Omit<BundleSession, 'entry'>): BundlePart[] {
  const { events, timeline, logs } = session
  const startedAt = events[0]?.at ?? logs[0]?.at ?? 0
  const header = { schema: 'faultline-timeline/1', runId: events[0]?.runId ?? null }
  return [
    lines(joinPath(folder, sessionFiles.timeline), [header, ...timeline]),
    {
      path: joinPath(folder, sessionFiles.readableTimeline),
      data: `# Timeline\n\n${timelineMarkdown(timeline)}\n`,
      whenTooLarge: 'cut',
    },
    ...snapshotFiles(folder, session.snapshots).map(({ path, snapshot }) => json(path, snapshot)),
    ...session.crashes.map((crash, index) => json(crashPath(folder, index), crash)),
    json(joinPath(folder, sessionFiles.plan), session.plan),
    json(joinPath(folder, sessionFiles.resolvedPlan), session.resolvedPlan),
    json(joinPath(folder, sessionFiles.definition), session.definition),
    json(joinPath(folder, sessionFiles.input), session.input),
    lines(joinPath(folder, sessionFiles.log), logs),
    {
      path: joinPath(folder, sessionFiles.readableLog),
      data: logs.map((entry) => `${logLine(entry, startedAt)}\n`).join(''),
      whenTooLarge: 'cut',
    },
    lines(joinPath(folder, sessionFiles.events), events),
  ]
}

function json(path: string, value: unknown): BundlePart {
  // One space: a reader sees the same, and a state of ten steps is a sixth smaller.
  return { path, data: `${JSON.stringify(value, null, 1)}\n`, whenTooLarge: 'omit' }
}

function lines(path: string, values: readonly unknown[]): BundlePart {
  return { path, data: values.map((value) => `${JSON.stringify(value)}\n`).join(''), whenTooLarge: 'cut' }
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
