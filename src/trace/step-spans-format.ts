import { formatDuration } from '../core/index.ts'
import type { WorkflowEvent } from './events.ts'
import { terminalWidth, wrapped } from './history-format.ts'
import { stepSpansOf } from './step-spans.ts'
import type { AttemptSpan, StepSpan } from './step-spans.ts'

const signs: Readonly<Record<AttemptSpan['outcome'], string>> = {
  completed: '=',
  failed: 'x',
  'gate-failed': '<',
  interrupted: '!',
  running: '>',
}

const meanings: Readonly<Record<AttemptSpan['outcome'], string>> = {
  completed: 'completed',
  failed: 'failed',
  'gate-failed': 'sent back by a gate',
  interrupted: 'interrupted',
  running: 'running',
}

const longestName = 20
const leastBar = 10

/**
 * A table of the steps with a bar for every attempt, for terminals: start and end since the run's start, the time in which
 * the step ran. Time in which nobody held the run is not drawn; a run in which no time passed is drawn by its events.
 */
export function formatStepSpans(events: readonly WorkflowEvent[], width = terminalWidth): string {
  const spans = stepSpansOf(events)
  const startedAt = events[0]?.at ?? 0
  const cells = spans.map((span) => cellsOf(span, startedAt))
  const heads = ['step', 'start', 'end', 'active', 'tries']
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...cells.map((row) => (row[column] as string).length)),
  )
  const barWidth = Math.max(leastBar, width - widths.reduce((sum, one) => sum + one + 2, 0) - 2)
  const scale = scaleOf(events, barWidth)
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number),
      )
      .join('  ')
  const rows = spans.map((span, index) => `${line(cells[index] as string[])}  |${barOf(span, scale)}|`)
  const used = (Object.keys(signs) as AttemptSpan['outcome'][]).filter((outcome) =>
    spans.some(({ attempts }) => attempts.some((attempt) => attempt.outcome === outcome)),
  )
  const legend = used.map((outcome) => `${signs[outcome]} ${meanings[outcome]}`).join('   ')
  const notes = [legend, ...scale.notes].filter((note) => note !== '').flatMap((note) => wrapped(note, width))
  return [line(heads), ...rows, ...(notes.length === 0 ? [] : ['', ...notes])].join('\n')
}

function cellsOf({ step, startedAt, finishedAt, activeMs, attempts }: StepSpan, runAt: number): string[] {
  const offset = (at: number | null): string => (at === null ? '-' : `+${formatDuration(at - runAt)}`)
  return [
    step.length <= longestName ? step : `${step.slice(0, longestName - 1)}…`,
    offset(startedAt),
    offset(finishedAt),
    attempts.length === 0 ? '-' : formatDuration(activeMs),
    String(attempts.length),
  ]
}

interface Scale {
  readonly width: number
  /** Column of an event, from 0 to `width`. */
  readonly columnOf: (seq: number) => number
  readonly notes: readonly string[]
}

/** Where every event stands on the bars. */
function scaleOf(events: readonly WorkflowEvent[], width: number): Scale {
  const positions: number[] = []
  let position = 0
  let idle = 0
  for (const [index, event] of events.entries()) {
    // A clock that was set back does not draw backwards.
    const step = Math.max(0, event.at - (events[index - 1]?.at ?? event.at))
    if (event.kind === 'workflow_resume') idle += step
    else position += step
    positions.push(position)
  }
  const total = position
  const columnOf = (seq: number): number =>
    Math.round(
      (total === 0 ? seq / Math.max(1, events.length - 1) : (positions[seq] as number) / total) * width,
    )
  return {
    width,
    columnOf,
    notes: [
      ...(total === 0 ? ['No time passed while the run moved: the bars follow its events.'] : []),
      ...(idle === 0
        ? []
        : [`Not drawn: ${formatDuration(idle)} in which the run lay still before a resume.`]),
    ],
  }
}

/** Every attempt takes one column at least; where two meet, the later one is seen. */
function barOf({ attempts }: StepSpan, { width, columnOf }: Scale): string {
  const bar = Array.from({ length: width }, () => ' ')
  for (const { startSeq, endSeq, outcome } of attempts) {
    const from = Math.min(columnOf(startSeq), width - 1)
    const to = endSeq === null ? width : Math.max(from + 1, columnOf(endSeq))
    bar.fill(signs[outcome], from, to)
  }
  return bar.join('')
}
