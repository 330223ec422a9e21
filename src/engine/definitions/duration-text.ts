/** About as long as a timer of the platform can wait. */
const mostMs = 24 * 24 * 3_600_000
const unitsMs = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000 } as const

export interface DurationRules {
  /** What a plain number counts. */
  readonly plainUnit: 's' | 'ms'
  readonly leastMs: 0 | 1
}

/** Milliseconds, or what is wrong with the value, as the end of a sentence that begins with its path. */
export function readDuration(value: unknown, rules: DurationRules): number | string {
  const durationMs = millisecondsOf(value, rules)
  if (durationMs === undefined) {
    const plain = rules.plainUnit === 's' ? 'seconds' : 'milliseconds'
    return rules.plainUnit === 's'
      ? `must be a number of ${plain} or a text such as '30s', '500ms' or '2m'`
      : `must be a number of ${plain}`
  }
  const rounded = Math.round(durationMs)
  if (rounded < rules.leastMs) return rules.leastMs === 1 ? 'must be at least 1 ms' : 'must not be negative'
  return rounded > mostMs ? 'must be at most 24 days' : rounded
}

function millisecondsOf(value: unknown, { plainUnit }: DurationRules): number | undefined {
  if (typeof value === 'number') return value * unitsMs[plainUnit]
  if (typeof value !== 'string' || plainUnit === 'ms') return undefined
  const match = /^(\d+(?:\.\d+)?) ?(ms|s|min|m|h)$/.exec(value.trim())
  return match === null ? undefined : Number(match[1]) * unitsMs[match[2] as keyof typeof unitsMs]
}
