import {
  labelsWithRoom,
  lanesOf,
  type Bar,
  type BarOutcome,
  type Lane,
  type NoteMark,
  type RunMark,
} from '../lanes.ts'
import type { SessionData } from '../page-data.ts'
import { button, el, sign } from './dom.ts'
import { virtualRows } from './virtual-rows.ts'

export interface LanesView {
  readonly element: HTMLElement
  select(position: number): void
  zoomBy(factor: number): void
  fit(): void
}

const laneHeight = 30
const nameWidth = 176
const widestUnit = 120
const roomAtTheEnd = 64
/** So narrow a bar can still be seen and hit. */
const narrowestBar = 6

const outcomes: Readonly<Record<BarOutcome, { readonly sign: string; readonly word: string }>> = {
  completed: { sign: '✓', word: 'completed' },
  failed: { sign: '✗', word: 'failed' },
  retried: { sign: '↻', word: 'failed and was retried' },
  returned: { sign: '↩', word: 'was sent back by its gate' },
  waiting: { sign: '⏸', word: 'waits for somebody' },
  undone: { sign: '⟲', word: 'was undone' },
  interrupted: { sign: '!', word: 'was interrupted' },
  running: { sign: '…', word: 'was still running' },
}

const markSigns = { crash: '⚡', resume: '↻', end: '■', other: '▪' } as const
const labelMargin = 26
const characterWidth = 7

/** Swim lanes: a row per step, a bar per attempt, over the sequence of events; several bars above one another ran in parallel. */
export function lanesView(session: SessionData, onSelect: (position: number) => void): LanesView {
  const { lanes, marks } = lanesOf(session)
  const count = session.events.length
  let unit = 1
  let selected = 0

  const axis = el('div', { class: 'axis', 'aria-hidden': 'true' })
  const rows = el('div', { class: 'lane-rows', role: 'list', 'aria-label': 'Steps' })
  const lines = el('div', { class: 'lines', 'aria-hidden': 'true' })
  const cursor = el('div', { class: 'cursor' })
  const inner = el('div', { class: 'lanes-inner' }, axis, rows, lines)
  const scroller = el(
    'div',
    { class: 'lanes', tabindex: '0', role: 'region', 'aria-label': 'Swim lanes of steps and attempts' },
    inner,
  )
  const x = (position: number): number => nameWidth + position * unit
  const list = virtualRows(scroller, rows, laneHeight, (index) => laneRow(lanes[index] as Lane, index))

  const laneRow = (lane: Lane, index: number): HTMLElement => {
    const name = el('span', { class: 'lane-name', title: lane.step }, el('bdi', {}, lane.step))
    const row = el(
      'div',
      {
        class: 'lane',
        role: 'listitem',
        'aria-setsize': String(lanes.length),
        'aria-posinset': String(index + 1),
      },
      name,
    )
    if (lane.bars.length === 0) {
      const [note] = lane.notes
      name.append(el('span', { class: 'not-run', title: note?.text ?? '' }, note?.status ?? 'did not run'))
    }
    row.append(...lane.bars.map((bar) => barButton(lane.step, bar)), ...lane.notes.map(noteButton))
    for (const { at, passed } of lane.gates) {
      const gate = el('span', {
        class: passed ? 'gate passed' : 'gate failed',
        title: `gate ${passed ? 'passed' : 'failed'}`,
      })
      gate.style.left = `${x(at)}px`
      row.append(gate)
    }
    return row
  }

  const noteButton = ({ at, status, text }: NoteMark): HTMLElement => {
    const element = button('', () => onSelect(at), {
      class: `note-mark ${status}`,
      tabindex: '-1',
      'aria-label': text,
      title: text,
    })
    element.style.left = `${x(at)}px`
    return element
  }

  const barButton = (step: string, bar: Bar): HTMLElement => {
    const { word, sign: character } = outcomes[bar.outcome]
    // What has not ended goes on beyond the last event.
    const end = bar.outcome === 'running' ? x(bar.to) + roomAtTheEnd / 2 : x(bar.to)
    const width = Math.max(narrowestBar, end - x(bar.from))
    const faults = bar.faults.length === 0 ? '' : `; faults: ${bar.faults.join(', ')}`
    const label = `${step}, visit ${bar.visit}, attempt ${bar.attempt}: ${word}${faults}`
    const element = button('', () => onSelect(bar.to), {
      class: `bar ${bar.outcome}`,
      tabindex: '-1',
      'aria-label': label,
      title: label,
    })
    element.classList.toggle('narrow', width <= 24)
    if (width >= 8)
      element.append(sign(bar.faults.length === 0 || width <= 24 ? character : `⚡${character}`))
    if (width > 64) element.append(el('span', {}, `#${bar.visit}@${bar.attempt}`))
    element.style.left = `${x(bar.from)}px`
    element.style.width = `${width}px`
    return element
  }

  /** A crash and the resume after it must not lie on top of each other. */
  const markX = (at: number, kind: RunMark['kind']): number => x(kind === 'crash' ? at - 0.5 : at)

  /** A crash's label stands before its line, the others after it. */
  const labels = (): readonly HTMLElement[] => {
    const placed = marks.map((mark) => {
      const line = markX(mark.at, mark.kind)
      const width = labelMargin + mark.name.length * characterWidth
      const from = mark.kind === 'crash' ? line - width : line
      return { mark, line, from, to: from + width }
    })
    return labelsWithRoom(placed).map(({ mark: { kind, name, good }, line }) => {
      const label = el(
        'span',
        { class: `mark ${kind} ${good ? 'good' : 'bad'}` },
        `${markSigns[kind]} ${name}`,
      )
      label.style.left = `${line}px`
      return label
    })
  }

  const drawAxis = (): void => {
    inner.style.width = `${x(count) + roomAtTheEnd}px`
    const isDense = marks.length * 40 > count * unit
    lines.classList.toggle('dense', isDense)
    const ticks: HTMLElement[] = []
    const every = tickDistance(unit)
    for (let position = 0; position < count; position += every) {
      const tick = el('span', { class: 'tick' }, String(session.events[position]?.seq ?? position))
      tick.style.left = `${x(position)}px`
      ticks.push(tick)
    }
    axis.replaceChildren(...ticks, ...(isDense ? [] : labels()))
    lines.replaceChildren(
      ...marks.map(({ at, kind, good }) => {
        const line = el('div', { class: `line ${kind} ${good ? 'good' : 'bad'}` })
        line.style.left = `${markX(at, kind)}px`
        return line
      }),
      cursor,
    )
    cursor.style.left = `${x(selected)}px`
  }

  const setUnit = (wanted: number): void => {
    const least = Math.max(0.02, (scroller.clientWidth - nameWidth - roomAtTheEnd) / Math.max(1, count))
    const middle = (scroller.scrollLeft + scroller.clientWidth / 2 - nameWidth) / unit
    unit = Math.min(widestUnit, Math.max(Math.min(least, widestUnit), wanted))
    drawAxis()
    list.refresh(lanes.length)
    scroller.scrollLeft = middle * unit + nameWidth - scroller.clientWidth / 2
  }

  const zoomBy = (factor: number): void => setUnit(unit * factor)
  const fit = (): void => setUnit(0)
  new ResizeObserver(() => setUnit(unit)).observe(scroller)

  const reveal = (): void => {
    const at = x(selected)
    const right = scroller.scrollLeft + scroller.clientWidth
    if (at < scroller.scrollLeft + nameWidth) scroller.scrollLeft = at - nameWidth - 40
    if (at > right - 24) scroller.scrollLeft = at - scroller.clientWidth + 64
    const index = lanes.findIndex(({ step }) => step === session.events[selected]?.step)
    if (index >= 0) list.reveal(index)
  }

  const tools = el(
    'div',
    { class: 'tools', role: 'group', 'aria-label': 'Zoom of the swim lanes' },
    button('−', () => zoomBy(1 / 1.6), { 'aria-label': 'Zoom out', title: 'Zoom out (-)' }),
    button('Fit', fit, { title: 'Whole run (0)' }),
    button('+', () => zoomBy(1.6), { 'aria-label': 'Zoom in', title: 'Zoom in (+)' }),
  )
  return {
    element: el(
      'section',
      { class: 'card lanes-card', 'aria-label': 'Swim lanes' },
      el('div', { class: 'card-head' }, el('h2', {}, 'Steps and attempts'), legend(lanes), tools),
      scroller,
    ),
    select(position) {
      selected = position
      cursor.style.left = `${x(position)}px`
      reveal()
    },
    zoomBy,
    fit,
  }
}

/** The signs that there are in these lanes. */
function legend(lanes: readonly Lane[]): HTMLElement {
  const bars = lanes.flatMap((lane) => lane.bars)
  const present = new Set(bars.map(({ outcome }) => outcome))
  const entries = (Object.keys(outcomes) as BarOutcome[])
    .filter((outcome) => present.has(outcome))
    .map(
      (outcome) =>
        [el('span', { class: `swatch ${outcome}` }, sign(outcomes[outcome].sign)), outcome] as const,
    )
  const gates = new Set(lanes.flatMap((lane) => lane.gates.map(({ passed }) => passed)))
  const marks = [
    ...(gates.has(true) ? [[el('span', { class: 'gate passed' }), 'gate passed'] as const] : []),
    ...(gates.has(false) ? [[el('span', { class: 'gate failed' }), 'gate failed'] as const] : []),
    ...(bars.some(({ faults }) => faults.length > 0) ? [[sign('⚡'), 'fault'] as const] : []),
    ...(lanes.some(({ notes }) => notes.length > 0)
      ? [[el('span', { class: 'note-mark' }), 'note'] as const]
      : []),
  ]
  return el(
    'ul',
    { class: 'legend', 'aria-label': 'Signs' },
    ...[...entries, ...marks].map(([symbol, word]) => el('li', {}, symbol, word)),
    el('li', {}, el('code', {}, '#2@1'), 'visit 2, attempt 1'),
  )
}

/** Ticks at round numbers, about eighty pixels apart. */
function tickDistance(unit: number): number {
  const wanted = 80 / unit
  const power = 10 ** Math.floor(Math.log10(Math.max(1, wanted)))
  return [1, 2, 5, 10].map((factor) => factor * power).find((distance) => distance >= wanted) ?? 10 * power
}
