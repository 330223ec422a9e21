import type { WorldEffect } from './contract.ts'

/** The outside world as the harness sees it: which effects really happened, and how often. Survives crashes. */
export interface World {
  record(effect: Omit<WorldEffect, 'count'>): void
  readonly effects: readonly WorldEffect[]
}

export function createWorld(before: readonly WorldEffect[] = []): World {
  const keyOf = ({ idempotencyKey, name }: Omit<WorldEffect, 'count'>): string => `${idempotencyKey} ${name}`
  const counts = new Map(before.map((effect) => [keyOf(effect), effect]))
  return {
    record(effect) {
      const key = keyOf(effect)
      counts.set(key, { ...effect, count: (counts.get(key)?.count ?? 0) + 1 })
    },
    get effects() {
      return [...counts.values()]
    },
  }
}
