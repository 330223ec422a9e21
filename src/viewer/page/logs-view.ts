import { formatDuration } from '../../core/index.ts'
import type { LogData, SessionData } from '../page-data.ts'
import { searchLogs } from '../search.ts'
import { announce, data, el } from './dom.ts'
import { stepOf } from './events-view.ts'
import { empty, virtualRows } from './virtual-rows.ts'

const rowHeight = 28
const columns = ['Time', 'Level', 'Step', 'Message'] as const

export function logsView({ logs }: SessionData): HTMLElement {
  if (logs.length === 0) return empty('Nothing was logged.')
  let shown = logs
  const body = el('div', { class: 'rows', role: 'rowgroup' })
  const table = el(
    'div',
    {
      class: 'grid',
      role: 'table',
      tabindex: '0',
      'aria-label': 'Logs',
      'aria-rowcount': String(logs.length + 1),
    },
    el(
      'div',
      { role: 'rowgroup', class: 'grid-head' },
      el(
        'div',
        { role: 'row', class: 'log head' },
        ...columns.map((title) => el('span', { role: 'columnheader' }, title)),
      ),
    ),
    body,
  )
  const list = virtualRows(table, body, rowHeight, (index) => logRow(shown[index] as LogData, index))
  const searchBox = el('input', { type: 'search', placeholder: 'Search logs', 'aria-label': 'Search logs' })
  searchBox.addEventListener('input', () => {
    shown = searchLogs(logs, searchBox.value)
    table.setAttribute('aria-rowcount', String(shown.length + 1))
    list.refresh(shown.length)
    announce(`${shown.length} lines`)
  })
  requestAnimationFrame(() => list.refresh(shown.length))
  return el(
    'section',
    { class: 'card fill', 'aria-label': 'Logs' },
    el('div', { class: 'card-head', role: 'search' }, el('h2', {}, 'Logs'), searchBox),
    table,
  )
}

function logRow(entry: LogData, index: number): HTMLElement {
  return el(
    'div',
    { role: 'row', class: `log ${entry.level}`, 'aria-rowindex': String(index + 2) },
    el('span', { role: 'cell', class: 'number' }, `+${formatDuration(entry.offsetMs)}`),
    el('span', { role: 'cell', class: 'level' }, entry.level),
    el('span', { role: 'cell', class: 'step' }, data(stepOf(entry))),
    el('span', { role: 'cell', class: 'text', title: entry.message }, data(entry.message)),
  )
}
