import type { EventData, LogData } from './page-data.ts'

export interface EventFilter {
  /** Words that must all occur, anywhere in the event, in any order and case. */
  readonly words: string
  /** Empty for every kind. */
  readonly kind: string
  /** Empty for every step. */
  readonly step: string
  /** Only what went wrong or began again. */
  readonly problemsOnly: boolean
}

/** Statuses that say of any kind of event, known here or not, that it is a problem. */
const problemStatuses: ReadonlySet<string> = new Set(['failed', 'warned'])

const problemKinds: ReadonlySet<string> = new Set([
  'step_retry',
  'step_fail',
  'workflow_resume',
  'workflow_cancel',
  'late_result',
])

export function isProblem({ kind, status }: Pick<EventData, 'kind' | 'status'>): boolean {
  return problemKinds.has(kind) || problemStatuses.has(status)
}

/** The positions of the events that a filter lets through. Reads every event once, when it is made. */
export function eventSearch(events: readonly EventData[]): (filter: EventFilter) => number[] {
  const texts = events.map(({ body, ...row }) =>
    `${Object.values(row).join(' ')} ${JSON.stringify(body)}`.toLowerCase(),
  )
  return ({ words, kind, step, problemsOnly }) => {
    const wanted = wordsOf(words)
    return events.flatMap((event, position) => {
      const matches =
        (kind === '' || event.kind === kind) &&
        (step === '' || event.step === step) &&
        (!problemsOnly || isProblem(event)) &&
        wanted.every((word) => texts[position]?.includes(word))
      return matches ? [position] : []
    })
  }
}

export function searchLogs(logs: readonly LogData[], words: string): readonly LogData[] {
  const wanted = wordsOf(words)
  if (wanted.length === 0) return logs
  return logs.filter((entry) => {
    const text = Object.values(entry).join(' ').toLowerCase()
    return wanted.every((word) => text.includes(word))
  })
}

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
}
