import type { RunPlace } from './invariant.ts'

interface StepPlace {
  readonly step: string
  readonly visit: number
  readonly attempt: number
  readonly seq?: number
}

/** `(visit 1, attempt 2)`, or with the life of the engine `(visit 1, attempt 2, incarnation 3)`. */
export function tryOf({ visit, attempt }: StepPlace, incarnation?: number): string {
  const life = incarnation === undefined ? '' : `, incarnation ${incarnation}`
  return `(visit ${visit}, attempt ${attempt}${life})`
}

export function placeOf({ step, visit, attempt, seq }: StepPlace): RunPlace {
  return { step, visit, attempt, ...(seq === undefined ? {} : { seq }) }
}

/** Tells tries apart: `build#1@2`. */
export function tryKey({ step, visit, attempt }: StepPlace): string {
  return `${step}#${visit}@${attempt}`
}

export function visitKey({ step, visit }: { readonly step: string; readonly visit: number }): string {
  return `${step}#${visit}`
}

export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`
}

/** A value of the log or state as it fits into a sentence. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  const text = JSON.stringify(value)
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`
}
