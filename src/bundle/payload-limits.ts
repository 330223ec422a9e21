import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../core/index.ts'
import type { DigestPort } from '../ports/index.ts'
import type { Redactor } from './redact.ts'
import type { EventOf, LogEntry, StepError, WorkflowEvent, WorkflowSnapshot } from '../trace/index.ts'

/** Cuts what is too large out of events, snapshots and logs, always in the same way, so that recordings stay comparable. */
export interface PayloadLimits {
  /** With the text of one line. */
  readonly event: (event: WorkflowEvent) => Written<WorkflowEvent>
  /** With an indented text. */
  readonly snapshot: (snapshot: WorkflowSnapshot) => Written<WorkflowSnapshot>
  readonly logEntry: (entry: LogEntry) => LogEntry
}

/** A value and its JSON, which tells how large it is and goes into a file. */
export interface Written<T> {
  readonly value: T
  readonly json: string
}

/** Indented by one space: a reader sees the same as with two, and a state of ten steps is a sixth smaller. */
export function indentedJson(value: unknown): string {
  return JSON.stringify(value, null, 1)
}

/** Events of another run in the form in which a bundle holds them, so that the two can be compared. */
export function bundledEvents(
  events: readonly WorkflowEvent[],
  { redact, payloadBytes, digest }: BundledEventsOptions,
): readonly WorkflowEvent[] {
  return redact
    .json(events)
    .map(payloadLimits(payloadBytes, digest).event)
    .map(({ value }) => value)
}

export interface BundledEventsOptions {
  readonly redact: Redactor
  /** What the bundle's own limit is. */
  readonly payloadBytes: number
  readonly digest: DigestPort
}

/**
 * A value above `payloadBytes` becomes `{ truncated: { sizeBytes, sha256 } }`, a text keeps its beginning. Definitions
 * stay whole: a replay needs them, and they are as large as somebody has written them.
 */
export function payloadLimits(payloadBytes: number, digest: DigestPort): PayloadLimits {
  const value = (whole: JsonValue): JsonValue => {
    if (fits(whole, payloadBytes)) return whole
    const json = canonicalJson(whole)
    return { truncated: { sizeBytes: new TextEncoder().encode(json).length, sha256: digest.sha256(json) } }
  }
  const text = (whole: string): string =>
    whole.length <= payloadBytes
      ? whole
      : `${whole.slice(0, payloadBytes)} [truncated: ${whole.length} characters]`
  const error = <E extends StepError>(whole: E): E => ({ ...whole, message: text(whole.message) })

  const smallerEvent = (event: Exclude<WorkflowEvent, EventOf<'step_skip'>>): WorkflowEvent => ({
    ...event,
    ...('output' in event ? { output: value(event.output) } : {}),
    ...('input' in event ? { input: value(event.input) } : {}),
    ...('launch' in event ? { launch: value(event.launch) as JsonObject } : {}),
    ...('reason' in event && event.reason !== undefined ? { reason: text(event.reason) } : {}),
    ...('error' in event && event.error !== undefined ? { error: error(event.error) } : {}),
  })
  const smallerSnapshot = (snapshot: WorkflowSnapshot): WorkflowSnapshot => {
    const { state } = snapshot
    const steps = Object.entries(state.steps).map(([id, step]) => [
      id,
      {
        ...step,
        output: value(step.output),
        error: step.error === null ? null : error(step.error),
        attempts: step.attempts.map((attempt) =>
          attempt.error === null ? attempt : { ...attempt, error: error(attempt.error) },
        ),
      },
    ])
    return {
      ...snapshot,
      state: {
        ...state,
        steps: Object.fromEntries(steps),
        input: value(state.input),
        launch: value(state.launch) as JsonObject,
        error: state.error === null ? null : error(state.error),
      },
    }
  }

  return {
    event: (whole) => {
      const json = JSON.stringify(whole)
      if (whole.kind === 'step_skip' || json.length <= payloadBytes) return { value: whole, json }
      const smaller = smallerEvent(whole)
      return { value: smaller, json: JSON.stringify(smaller) }
    },
    snapshot: (whole) => {
      const json = indentedJson(whole)
      if (json.length <= payloadBytes || fits(whole, payloadBytes)) return { value: whole, json }
      const smaller = smallerSnapshot(whole)
      return { value: smaller, json: indentedJson(smaller) }
    },
    logEntry: (entry) => ({ ...entry, message: text(entry.message) }),
  }
}

/** Whether this stands for a value that was too large. */
export function isTruncated(value: JsonValue): boolean {
  return isJsonObject(value) && isJsonObject(value['truncated']) && 'sha256' in value['truncated']
}

/** Judged by the UTF-16 length of the JSON text: cheap, and the same everywhere. */
function fits(value: unknown, payloadBytes: number): boolean {
  return JSON.stringify(value).length <= payloadBytes
}
