import type { WorldEffect } from './contract.ts'

/** The outside world as the harness sees it: which effects really happened, and how often. Survives crashes. */
export interface World {
  record(effect: Omit<WorldEffect, 'count'>): void
  readonly effects: readonly WorldEffect[]
}

export function createWorld(): World {
  const counts = new Map<string, WorldEffect>()
  return {
    record(effect) {
      const key = `${effect.idempotencyKey} ${effect.name}`
      counts.set(key, { ...effect, count: (counts.get(key)?.count ?? 0) + 1 })
    },
    get effects() {
      return [...counts.values()]
    },
  }
}
