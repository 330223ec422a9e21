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
export function tryKey(place: StepPlace): string {
  const known = tryKeys.get(place)
  if (known !== undefined) return known
  const key = `${visitKey(place)}@${place.attempt}`
  tryKeys.set(place, key)
  return key
}

export function visitKey(place: { readonly step: string; readonly visit: number }): string {
  const known = visitKeys.get(place)
  if (known !== undefined) return known
  const key = `${place.step}#${place.visit}`
  visitKeys.set(place, key)
  return key
}

/** By the event or the call itself: runs that were forked from one another share most of theirs. */
const tryKeys = new WeakMap<StepPlace, string>()
const visitKeys = new WeakMap<object, string>()

export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`
}

/** A value of the log or state as it fits into a sentence. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing'
  const text = JSON.stringify(value)
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`
}
