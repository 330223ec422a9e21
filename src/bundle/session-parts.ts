import { containedPath, formatDuration, formatStepKey, joinPath } from '../core/index.ts'
import type { DigestPort } from '../ports/index.ts'
import {
  oneLine,
  timelineMarkdown,
  timelineOf,
  type LogEntry,
  type SessionRecording,
} from '../trace/index.ts'
import { utf8Text } from './bytes.ts'
import type { BundleSession } from './bundle.ts'
import { sessionFiles, sessionFolder, snapshotFiles } from './layout.ts'
import type { BundleLimits } from './manifest.ts'
import { payloadLimits } from './payload-limits.ts'
import type { Redactor } from './redact.ts'

/** A file on its way into the bundle, redacted. */
export interface BundlePart {
  readonly path: string
  readonly data: string | Uint8Array
  /** What to keep of it when it is too large: whole lines from its beginning, or nothing since a part would be unreadable. */
  readonly whenTooLarge: 'cut' | 'omit'
}

export interface SessionParts {
  readonly folder: string
  readonly session: Omit<BundleSession, 'entry'>
  readonly documents: readonly BundlePart[]
  readonly artifacts: readonly BundlePart[]
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
    artifacts: artifacts(folder, recording, options),
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

function artifacts(
  folder: string,
  recording: SessionRecording,
  { redact }: SessionPartsOptions,
): BundlePart[] {
  const taken = new Set<string>()
  return recording.artifacts.map(({ path, bytes }) => {
    const data = redact.bytes(bytes)
    return {
      path: joinPath(
        folder,
        sessionFiles.artifacts,
        unique(redact.path(containedPath(path, 'artifact')), taken),
      ),
      data,
      whenTooLarge: utf8Text(data) === undefined ? 'omit' : 'cut',
    }
  })
}

/** Two names that differ only in a secret must not become one. */
function unique(path: string, taken: Set<string>): string {
  let free = path
  for (let count = 2; taken.has(free); count++) free = `${path}~${count}`
  taken.add(free)
  return free
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
