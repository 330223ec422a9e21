import { FaultlineError } from './errors.ts'

const idPattern = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,126}[A-Za-z0-9_-])?$/

export type IdKind = 'workflow id' | 'step id' | 'run id' | 'correlation id' | 'template name'

/** Letters, digits, `_`, `.` and `-`, at most 128, no leading dot: safe as a file name on every platform. */
export function isId(text: string): boolean {
  return idPattern.test(text) && !text.includes('..')
}

/** @throws FaultlineError `ID_INVALID` naming the kind, the value and the pattern. */
export function checkId(kind: IdKind, text: string): string {
  if (isId(text)) return text
  throw new FaultlineError(
    'ID_INVALID',
    `'${text}' is not a valid ${kind}: use 1 to 128 letters, digits, '_', '-' or '.', starting with a letter or digit.`,
    { details: { kind, value: text } },
  )
}

/** Names one try of a step: `step#visit@attempt`, both counted from 1. */
export interface StepKey {
  readonly step: string
  readonly visit: number
  readonly attempt: number
}

export function formatStepKey(key: StepKey): string {
  return `${key.step}#${key.visit}@${key.attempt}`
}

/** Stays the same over every attempt of a visit, so that a service can tell a repetition from a new request. */
export function idempotencyKey(runId: string, step: string, visit: number): string {
  return `${runId}/${step}#${visit}`
}

/** The idempotency key of taking back what was done under another. */
export function undoKey(key: string): string {
  return `${key}/undo`
}
