import { FaultlineError } from '../../core/index.ts'
import { faultFamilies } from './report.ts'
import type { AgentCalls, FamilyCoverage, FaultFamily, Finding, MatrixRow, SweepReport } from './report.ts'

/**
 * One report of several parts of the same sweep: of shares of its points, or of a sweep that was stopped and the one that went on.
 * It is complete when every share is.
 *
 * @throws FaultlineError `CONFIGURATION_INVALID` for none, and for parts of different sweeps.
 */
export function mergeSweepReports(parts: readonly SweepReport[]): SweepReport {
  const [first, ...others] = parts
  if (first === undefined) throw invalid('there is none')
  for (const other of others) assertSameSweep(first, other)
  const ended = parts.filter(({ complete }) => complete).map((part) => shareOf(part))
  const twice = ended.find((share, index) => ended.indexOf(share) !== index)
  if (twice !== undefined) throw invalid(`${twice} is there twice`)
  const { shard: _shard, corpus: _corpus, seen: _seen, ...whole } = first
  const corpora = parts.flatMap(({ corpus }) => corpus ?? [])
  const shard = others.every((other) => shareOf(first) === shareOf(other)) ? first.shard : undefined
  const complete = shard === undefined ? sharesAreComplete(parts) : parts.some((part) => part.complete)
  const states = new Set(parts.flatMap(({ seen }) => seen?.postCrashStates ?? []))
  const paths = new Set(parts.flatMap(({ seen }) => seen?.recoveryPaths ?? []))
  const sum = (value: (part: SweepReport) => number): number =>
    parts.reduce((total, part) => total + value(part), 0)
  const cpuMs = sum(({ timings }) => timings.cpuMs)
  const calls = parts.flatMap(({ agentCalls }) => agentCalls ?? [])
  const matrix = mergeRows(parts)
  const families = mergeFamilies(parts, matrix)
  const scenarios = Object.values(families).reduce((total, family) => total + family.scenarios, 0)
  return {
    ...whole,
    families,
    findings: inOrder(eachOnce(parts.flatMap(({ findings }) => findings)), ({ faults }) => faults[0]),
    matrix,
    postCrashStates: Math.max(states.size, ...parts.map(({ postCrashStates }) => postCrashStates)),
    recoveryPaths: Math.max(paths.size, ...parts.map(({ recoveryPaths }) => recoveryPaths)),
    ...(complete && shard === undefined
      ? {}
      : { seen: { postCrashStates: [...states].sort(), recoveryPaths: [...paths].sort() } }),
    complete,
    ...(shard === undefined ? {} : { shard }),
    // Every part has run the same plans.
    ...(corpora[0] === undefined ? {} : { corpus: corpora[0] }),
    shortcuts: {
      rejoined: sum(({ shortcuts }) => shortcuts.rejoined),
      audited: sum(({ shortcuts }) => shortcuts.audited),
      trusted: parts.every(({ shortcuts }) => shortcuts.trusted),
    },
    ...(calls.length === 0 ? {} : { agentCalls: calls.reduce(sumOfCalls) }),
    timings: {
      cpuMs,
      scenariosPerSecond: cpuMs === 0 ? 0 : scenarios / (cpuMs / 1_000),
      slowest: parts
        .flatMap(({ timings }) => timings.slowest)
        .sort((left, right) => right.ms - left.ms)
        .slice(0, Math.max(...parts.map(({ timings }) => timings.slowest.length))),
    },
  }
}

function sumOfCalls(one: AgentCalls, other: AgentCalls): AgentCalls {
  return {
    made: one.made + other.made,
    remembered: one.remembered + other.remembered,
    audited: one.audited + other.audited,
  }
}

/** Every part runs the plans of the corpus, and finds the same with them. */
function eachOnce(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding.faults), finding])).values()]
}

function mergeRows(parts: readonly SweepReport[]): readonly MatrixRow[] {
  const rows = new Map<string, MatrixRow>()
  for (const row of parts.flatMap(({ matrix }) => matrix)) {
    const key = `${row.family} ${row.at}`
    rows.set(key, { ...row, cells: { ...row.cells, ...rows.get(key)?.cells } })
  }
  return inOrder([...rows.values()], (row) => row)
}

function mergeFamilies(
  parts: readonly SweepReport[],
  matrix: readonly MatrixRow[],
): Readonly<Partial<Record<FaultFamily, FamilyCoverage>>> {
  const found = faultFamilies.flatMap((family) => {
    const counts = parts.flatMap((part) => part.families[family] ?? [])
    const [{ points, counted } = { points: 0, counted: 0 }] = counts
    if (counts.length === 0) return []
    const hit = matrix.filter((row) => row.family === family).length
    const scenarios = counts.reduce((total, count) => total + count.scenarios, 0)
    const deduped = counts.reduce((total, count) => total + count.deduped, 0)
    return [[family, { hit, points, counted, scenarios, deduped }] as const]
  })
  return Object.fromEntries(found)
}

/** Whether each of the shares that there are is there and complete; a part without a share is all of them. */
function sharesAreComplete(parts: readonly SweepReport[]): boolean {
  const whole = parts.filter(({ shard, complete }) => shard === undefined && complete)
  if (whole.length > 0) return true
  const of = parts[0]?.shard?.of ?? 0
  const done = new Set(parts.flatMap(({ shard, complete }) => (complete ? [shard?.index] : [])))
  return of > 0 && Array.from({ length: of }, (_, index) => index + 1).every((index) => done.has(index))
}

function shareOf({ shard }: SweepReport): string {
  return shard === undefined ? 'the whole' : `share ${shard.index} of ${shard.of}`
}

function assertSameSweep(one: SweepReport, other: SweepReport): void {
  for (const name of ['version', 'workflowId', 'seed', 'tier'] as const) {
    if (one[name] !== other[name])
      throw invalid(`they differ in ${name}: ${JSON.stringify(one[name])} and ${JSON.stringify(other[name])}`)
  }
  if ((one.shard?.of ?? other.shard?.of) !== (other.shard?.of ?? one.shard?.of))
    throw invalid(`they are shares of ${one.shard?.of} and of ${other.shard?.of}`)
  for (const family of faultFamilies) {
    const [here, there] = [one.families[family]?.points, other.families[family]?.points]
    if (here !== undefined && there !== undefined && here !== there)
      throw invalid(`the family ${family} has ${here} points in one and ${there} in another`)
  }
}

function inOrder<T>(
  items: readonly T[],
  placeOf: (item: T) => { readonly family: FaultFamily; readonly at: string } | undefined,
): readonly T[] {
  const rank = (item: T): number => faultFamilies.indexOf(placeOf(item)?.family ?? 'crash')
  const at = (item: T): string => placeOf(item)?.at ?? ''
  return items
    .map((item) => item)
    .sort((one, other) => rank(one) - rank(other) || (at(one) < at(other) ? -1 : at(one) > at(other) ? 1 : 0))
}

function invalid(why: string): FaultlineError {
  return new FaultlineError('CONFIGURATION_INVALID', `The reports are not of one sweep: ${why}.`)
}
