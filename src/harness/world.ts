import type { WorldEffect } from './contract.ts'

/** The outside world as the harness sees it: which effects really happened, and how often. Survives crashes. */
export interface World {
  record(effect: Omit<WorldEffect, 'count'>): void
  effects(): readonly WorldEffect[]
}

export class Ledger implements World {
  readonly #counts: Map<string, WorldEffect>

  constructor(before: readonly WorldEffect[] = []) {
    this.#counts = new Map(before.map((effect) => [keyOf(effect), effect]))
  }

  record(effect: Omit<WorldEffect, 'count'>): void {
    const key = keyOf(effect)
    this.#counts.set(key, { ...effect, count: (this.#counts.get(key)?.count ?? 0) + 1 })
  }

  effects(): readonly WorldEffect[] {
    return [...this.#counts.values()]
  }
}

function keyOf({ idempotencyKey, name }: Omit<WorldEffect, 'count'>): string {
  return `${idempotencyKey} ${name}`
}
