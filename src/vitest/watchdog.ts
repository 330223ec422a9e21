import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readJournal } from './read-journals.ts'
import type { WorkerNotes } from './read-journals.ts'

/** Finds workers that do not answer any more. */
export interface Watchdog {
  /** Looks at every worker once; answers those that have been silent for too long, each once. */
  look(): readonly WorkerNotes[]
}

/**
 * Silence is counted in looks, `intervalMs` apart: where the main process stands still too, as on a machine that sleeps, it does
 * not grow.
 */
export function createWatchdog(journals: string, intervalMs: number): Watchdog {
  const signs = new Map<string, { readonly last: string; readonly looks: number }>()

  const silentLooks = (journal: string): number => {
    const stat = statSync(join(journals, journal), { throwIfNoEntry: false })
    const last = `${stat?.size} ${stat?.mtimeMs}`
    const known = signs.get(journal)
    const looks = known?.last === last ? known.looks + 1 : 0
    signs.set(journal, { last, looks })
    return looks
  }

  return {
    look: () =>
      readdirSync(journals).flatMap((journal) => {
        const looks = silentLooks(journal)
        // Most are heard of at every look: only the others are read.
        const notes = looks > 1 ? readJournal(journals, journal) : undefined
        if (notes === undefined) return []
        const limit = Math.ceil(silenceLimit(notes) / intervalMs)
        return looks === limit ? [notes] : []
      }),
  }
}

/** The longest of the limits that tests and hooks have under way, and the grace; without a limit nobody is given up. */
function silenceLimit({ settings: { silence }, underWay }: WorkerNotes): number {
  if (silence === null || underWay.length === 0) return Infinity
  const limits = [silence.hookMs, ...underWay.map(({ identity }) => identity.timeoutMs ?? 0)]
  return limits.every((limit) => limit > 0) ? Math.max(...limits) + silence.graceMs : Infinity
}
