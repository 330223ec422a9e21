import { formatDuration, formatStepKey } from '../../core/index.ts'
import type { EventData, SessionData } from '../page-data.ts'
import { eventSearch, isProblem, type EventFilter } from '../search.ts'
import { announce, data, el, sign } from './dom.ts'
import { virtualRows } from './virtual-rows.ts'

export interface EventsView {
  readonly element: HTMLElement
  readonly searchBox: HTMLInputElement
  select(position: number): void
  /** Moves the selection among the events that are shown. */
  move(by: number): void
  nextProblem(): void
}

const rowHeight = 30
const columns = ['#', 'Time', 'Step', 'Status', 'What happened'] as const

export function eventsView(session: SessionData, onSelect: (position: number) => void): EventsView {
  const { events } = session
  const search = eventSearch(events)
  let shown: readonly number[] = []
  let selected = session.focus

  const body = el('div', { class: 'rows', role: 'rowgroup' })
  const grid = el(
    'div',
    {
      class: 'grid',
      role: 'grid',
      tabindex: '0',
      'aria-label': 'Events',
      'aria-colcount': String(columns.length),
    },
    el(
      'div',
      { role: 'rowgroup', class: 'grid-head' },
      el(
        'div',
        { role: 'row', class: 'event head', 'aria-rowindex': '1' },
        ...columns.map((title) => el('span', { role: 'columnheader' }, title)),
      ),
    ),
    body,
  )
  const list = virtualRows(grid, body, rowHeight, (index) => eventRow(shown[index] as number, index))

  const eventRow = (position: number, index: number): HTMLElement => {
    const event = events[position] as EventData
    const place = stepOf(event)
    const row = el(
      'div',
      {
        role: 'row',
        id: `event-${position}`,
        class: `event ${tone(event)}`,
        'aria-rowindex': String(index + 2),
        'aria-selected': String(position === selected),
      },
      el('span', { role: 'gridcell', class: 'number' }, String(event.seq)),
      el('span', { role: 'gridcell', class: 'number' }, `+${formatDuration(event.offsetMs)}`),
      el('span', { role: 'gridcell', class: 'step' }, data(place)),
      el('span', { role: 'gridcell', class: 'status' }, sign(signOf(event)), event.status),
      el('span', { role: 'gridcell', class: 'text', title: event.text }, data(textOf(event, place))),
    )
    row.addEventListener('click', () => onSelect(position))
    return row
  }

  const searchBox = el('input', {
    type: 'search',
    placeholder: 'Search events  ( / )',
    'aria-label': 'Search events',
  })
  const kinds = select('Kind', 'All kinds', [...new Set(events.map(({ kind }) => kind))].sort())
  const steps = select('Step', 'All steps', [...new Set(events.flatMap(({ step }) => step ?? []))])
  const problems = el('input', { type: 'checkbox' })
  const found = el('span', { class: 'found' })

  const filter = (): EventFilter => ({
    words: searchBox.value,
    kind: kinds.value,
    step: steps.value,
    problemsOnly: problems.checked,
  })
  const refresh = (): void => {
    shown = search(filter())
    grid.setAttribute('aria-rowcount', String(shown.length + 1))
    found.textContent =
      shown.length === events.length
        ? `${events.length.toLocaleString('en')} events`
        : `${shown.length.toLocaleString('en')} of ${events.length.toLocaleString('en')}`
    list.refresh(shown.length)
    reveal()
  }
  const reveal = (): void => {
    const index = shown.indexOf(selected)
    if (index < 0) return grid.removeAttribute('aria-activedescendant')
    list.reveal(index)
    grid.setAttribute('aria-activedescendant', `event-${selected}`)
  }
  for (const control of [searchBox, kinds, steps, problems]) {
    control.addEventListener('input', () => {
      refresh()
      announce(`${shown.length} events`)
    })
  }

  refresh()
  return {
    element: el(
      'section',
      { class: 'card events-card', 'aria-label': 'Events' },
      el(
        'div',
        { class: 'card-head', role: 'search' },
        el('h2', {}, 'Events'),
        searchBox,
        kinds,
        steps,
        el('label', { class: 'check' }, problems, 'Problems only'),
        found,
      ),
      grid,
    ),
    searchBox,
    select(position) {
      selected = position
      list.refresh(shown.length)
      reveal()
    },
    move(by) {
      const index = shown.findIndex((position) => position >= selected)
      const from = index < 0 ? shown.length - 1 : index
      const exact = shown[from] === selected
      const next = exact ? from + by : by > 0 ? from : from - 1
      const position = shown[Math.max(0, Math.min(shown.length - 1, next))]
      if (position !== undefined) onSelect(position)
    },
    nextProblem() {
      const after = shown.filter((position) => isProblem(events[position] as EventData))
      const position = after.find((each) => each > selected) ?? after[0]
      if (position !== undefined) onSelect(position)
    },
  }
}

export function stepOf({ step, visit, attempt }: Pick<EventData, 'step' | 'visit' | 'attempt'>): string {
  if (step === null) return ''
  return visit === null || attempt === null ? step : formatStepKey({ step, visit, attempt })
}

/** Rows say the step in a column of its own. */
function textOf({ text }: EventData, place: string): string {
  return place !== '' && text.startsWith(`${place} `) ? text.slice(place.length + 1) : text
}

export function tone(event: EventData): string {
  if (event.kind === 'workflow_resume') return 'resumed'
  if (event.kind === 'step_retry' || event.status === 'warned') return 'warning'
  if (isProblem(event)) return 'failure'
  return event.status === 'completed' || event.status === 'passed' ? 'success' : 'plain'
}

function signOf(event: EventData): string {
  if (event.status === 'warned') return '!'
  return { resumed: '↻', warning: '↻', failure: '✗', success: '✓', plain: '·' }[tone(event)] ?? '·'
}

function select(label: string, all: string, values: readonly string[]): HTMLSelectElement {
  return el(
    'select',
    { 'aria-label': label },
    el('option', { value: '' }, all),
    ...values.map((value) => el('option', { value }, value)),
  )
}
