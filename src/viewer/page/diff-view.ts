import { textDiff, withContext, type DiffLine, type SkippedLines } from '../text-diff.ts'
import { button, data, el } from './dom.ts'
import { empty } from './virtual-rows.ts'

const linesShown = 1_000
const signs = { same: ' ', added: '+', removed: '−' } as const
const words = { same: '', added: 'added', removed: 'removed' } as const

/** Two texts line by line; what is added or removed is said by sign and, for readers of the screen, by word. */
export function diffView(before: string, after: string, label: string): HTMLElement {
  const lines = textDiff(before, after)
  const added = lines.filter(({ kind }) => kind === 'added').length
  const removed = lines.filter(({ kind }) => kind === 'removed').length
  if (added + removed === 0) return empty('The two are the same.')
  const rows = withContext(lines)
  const body = el('tbody', {}, ...rows.slice(0, linesShown).map(diffRow))
  const table = el(
    'table',
    { class: 'diff', 'aria-label': label },
    el('caption', {}, `${counted(added)} added, ${counted(removed)} removed`),
    el(
      'thead',
      { class: 'unseen' },
      el(
        'tr',
        {},
        ...['Line before', 'Line after', 'Change', 'Text'].map((title) => el('th', { scope: 'col' }, title)),
      ),
    ),
    body,
  )
  if (rows.length <= linesShown) return table
  const more = button(`Show all ${rows.length.toLocaleString('en')} lines`, () => {
    body.append(...rows.slice(linesShown).map(diffRow))
    more.remove()
  })
  return el('div', {}, table, more)
}

function diffRow(line: DiffLine | SkippedLines): HTMLElement {
  if (line.kind === 'skipped') {
    return el('tr', { class: 'skipped' }, el('td', { colspan: '4' }, `${counted(line.count)} not changed`))
  }
  return el(
    'tr',
    { class: line.kind },
    el('td', { class: 'line-number' }, line.before === null ? '' : String(line.before)),
    el('td', { class: 'line-number' }, line.after === null ? '' : String(line.after)),
    el(
      'td',
      { class: 'line-sign' },
      el('span', { 'aria-hidden': 'true' }, signs[line.kind]),
      el('span', { class: 'unseen' }, words[line.kind]),
    ),
    el('td', { class: 'line-text' }, data(line.text)),
  )
}

function counted(count: number): string {
  return `${count.toLocaleString('en')} ${count === 1 ? 'line' : 'lines'}`
}
