import type { SweepTier } from './report.ts'

/** The points that a tier tries: for `smoke` the first and the last of each class, which is what is done and to what kind of file. */
export function chosenPoints<P extends { readonly name: string }>(
  tier: SweepTier,
  points: readonly P[],
): readonly P[] {
  if (tier !== 'smoke') return points
  const first = new Map<string, P>()
  const last = new Map<string, P>()
  for (const point of points) {
    const kind = pointClass(point.name)
    if (!first.has(kind)) first.set(kind, point)
    last.set(kind, point)
  }
  const chosen = new Set([...first.values(), ...last.values()])
  return points.filter((point) => chosen.has(point))
}

/** By key: the lives of a sweep come by the same points again and again. */
const knownClasses = new Map<string, string>()
const mostKnownClasses = 8_192

export function pointClass(key: string): string {
  const known = knownClasses.get(key)
  if (known !== undefined) return known
  const found = classOf(key)
  if (knownClasses.size >= mostKnownClasses) knownClasses.clear()
  knownClasses.set(key, found)
  return found
}

/** Whether a step or the run does it, the operation, and the file without what names one among many. */
function classOf(key: string): string {
  const [, scope = '', call = '', target = ''] = /^\d+\/([^:]*):([^:]*):(.*)#\d+$/.exec(key) ?? []
  const of = scope === 'run' ? 'run' : 'step'
  return `${of} ${call} ${target.replace(/[^/]*#\d+@\d+/g, '*').replace(/[^/]+$/, (name) => (of === 'run' ? name : '*'))}`
}
