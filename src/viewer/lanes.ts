import { formatStepKey } from '../core/index.ts'
import type { FaultPlan } from '../definition/index.ts'
import type { EventData, SessionData } from './page-data.ts'

export type BarOutcome =
  'completed' | 'failed' | 'retried' | 'returned' | 'waiting' | 'undone' | 'interrupted' | 'running'

/** One attempt of a step, from the position of the event that began it to that of the event that ended it. */
export interface Bar {
  readonly visit: number
  readonly attempt: number
  readonly from: number
  readonly to: number
  readonly outcome: BarOutcome
  /** Names of the faults that fired in it. */
  readonly faults: readonly string[]
}

export interface Lane {
  readonly step: string
  readonly bars: readonly Bar[]
  readonly gates: readonly GateMark[]
  /** Everything else that happened to the step, such as a warning or that it was skipped. */
  readonly notes: readonly NoteMark[]
}

export interface NoteMark {
  readonly at: number
  readonly status: string
  readonly text: string
}

export interface GateMark {
  readonly at: number
  readonly passed: boolean
}

/** What concerns the run as a whole. A crash has no event of its own: it lies before the resume that tells of it. */
export interface RunMark {
  readonly at: number
  readonly kind: 'crash' | 'resume' | 'end' | 'other'
  /** What to call it. */
  readonly name: string
  readonly good: boolean
}

export interface Lanes {
  readonly lanes: readonly Lane[]
  readonly marks: readonly RunMark[]
}

interface OpenLane {
  readonly step: string
  readonly bars: Bar[]
  readonly gates: GateMark[]
  readonly notes: NoteMark[]
  open: { visit: number; attempt: number; from: number } | undefined
}

/** Steps in the order of the definition, whether or not they ran; events by their position, since times can be equal. */
export function lanesOf({
  events,
  definition,
  resolvedPlan,
}: Pick<SessionData, 'events' | 'definition' | 'resolvedPlan'>): Lanes {
  const faults = faultsByAttempt(resolvedPlan)
  const lanes = new Map<string, OpenLane>()
  const marks: RunMark[] = []
  const laneOf = (step: string): OpenLane => {
    const lane = lanes.get(step) ?? { step, bars: [], gates: [], notes: [], open: undefined }
    lanes.set(step, lane)
    return lane
  }
  for (const { id } of definition?.steps ?? []) laneOf(id)

  const close = (lane: OpenLane, to: number, outcome: BarOutcome): void => {
    if (lane.open === undefined) return
    const key = formatStepKey({ step: lane.step, ...lane.open })
    lane.bars.push({ ...lane.open, to, outcome, faults: faults.get(key) ?? [] })
    lane.open = undefined
  }
  const closeAll = (to: number, outcome: BarOutcome): void => {
    for (const lane of lanes.values()) close(lane, to, outcome)
  }

  events.forEach((event, at) => {
    if (event.step === null || event.visit === null) markRun(event, at)
    else markStep(laneOf(event.step), event, event.visit, at)
  })
  closeAll(events.length - 1, 'running')
  return {
    lanes: [...lanes.values()].map(({ step, bars, gates, notes }) => ({ step, bars, gates, notes })),
    marks,
  }

  function markStep(lane: OpenLane, event: EventData, visit: number, at: number): void {
    const { kind, attempt, status, text } = event
    if (attempt !== null && kind.endsWith('_start') && !kind.startsWith('process_')) {
      close(lane, at, 'interrupted')
      lane.open = { visit, attempt, from: at }
    } else if (kind === 'gate_result') lane.gates.push({ at, passed: status === 'passed' })
    else if (!withinBar.has(kind) && outcomeOf(event) === undefined) lane.notes.push({ at, status, text })
    const outcome = outcomeOf(event)
    if (outcome !== undefined) close(lane, at, outcome)
  }

  function markRun({ kind, status }: EventData, at: number): void {
    const name = kind.replace(/^workflow_/, '').replaceAll('_', ' ')
    if (kind === 'workflow_resume') {
      if (at > 0 && !ranOut(events, at)) marks.push({ at, kind: 'crash', name: 'crash', good: false })
      closeAll(at, 'interrupted')
      marks.push({ at, kind: 'resume', name, good: true })
    } else if (kind === 'workflow_end') {
      closeAll(at, 'interrupted')
      marks.push({ at, kind: 'end', name, good: status === 'completed' })
    } else if (kind.startsWith('workflow_') && kind !== 'workflow_start') {
      marks.push({ at, kind: 'other', name, good: kind !== 'workflow_cancel' })
    }
  }
}

/** Events that tell no more in a lane than the bar they lie in. */
const withinBar: ReadonlySet<string> = new Set([
  'artifacts_prepared',
  'artifact_created',
  'process_start',
  'checkpoint',
])

function outcomeOf({ kind, body }: EventData): BarOutcome | undefined {
  switch (kind) {
    case 'step_finish':
      return 'completed'
    case 'step_fail':
      return 'failed'
    case 'step_retry':
      return 'retried'
    case 'gate_result':
      return (body['route'] as { to?: string } | undefined)?.to === 'loop' ? 'returned' : undefined
    default:
      if (kind.endsWith('_pause') || kind.endsWith('_wait')) return 'waiting'
      if (kind.startsWith('undo_'))
        return { undo_finish: 'undone', undo_fail: 'failed' }[kind as string] as BarOutcome
      return undefined
  }
}

/** A life whose last word on the run is one of these was cut off in its middle. */
const stillGoing: ReadonlySet<string> = new Set(['workflow_start', 'workflow_resume', 'workflow_cancel'])

/** Whether the life before a resume came to its end; edits from outside may lie between. */
function ranOut(events: readonly EventData[], resumedAt: number): boolean {
  const before = events.slice(0, resumedAt).findLast(({ kind }) => kind.startsWith('workflow_'))
  return before !== undefined && !stillGoing.has(before.kind)
}

/** The keys at which faults fired begin `<incarnation>/<step>#<visit>@<attempt>:`. */
function faultsByAttempt(plan: FaultPlan | null): Map<string, string[]> {
  const byAttempt = new Map<string, string[]>()
  for (const { at, fault } of plan?.faults ?? []) {
    const key = typeof at === 'string' ? /^\d+\/([^:]+#\d+@\d+):/.exec(at)?.[1] : undefined
    if (key !== undefined) byAttempt.set(key, [...(byAttempt.get(key) ?? []), fault])
  }
  return byAttempt
}

/** A label of a mark, and what it takes of the axis. */
export interface MarkLabel {
  readonly mark: RunMark
  readonly from: number
  readonly to: number
}

/** What a reader looks for first. */
const weights: Readonly<Record<RunMark['kind'], number>> = { crash: 3, end: 2, resume: 1, other: 0 }

/** As many of them as find room beside each other, in their order. */
export function labelsWithRoom<Label extends MarkLabel>(labels: readonly Label[]): readonly Label[] {
  const chosen = new Set<Label>()
  const byWeight = [...labels].sort((one, other) => weights[other.mark.kind] - weights[one.mark.kind])
  for (const label of byWeight) {
    const isFree = [...chosen].every(({ from, to }) => label.to <= from || to <= label.from)
    if (isFree && label.from >= 0) chosen.add(label)
  }
  return labels.filter((label) => chosen.has(label))
}
