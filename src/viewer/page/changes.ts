import type { JsonChange } from '../../core/index.ts'
import { button, data, el } from './dom.ts'
import { empty } from './virtual-rows.ts'

const changesShown = 200

/** What is different, as a table: where, before, after. */
export function changesTable(changes: readonly JsonChange[], label: string): HTMLElement {
  if (changes.length === 0) return empty('Nothing changed.')
  const body = el('tbody', {}, ...changes.slice(0, changesShown).map(changeRow))
  const table = el(
    'table',
    { class: 'changes', 'aria-label': label },
    el(
      'thead',
      {},
      el('tr', {}, ...['What', 'Before', 'After'].map((title) => el('th', { scope: 'col' }, title))),
    ),
    body,
  )
  if (changes.length <= changesShown) return table
  const more = button(`Show all ${changes.length.toLocaleString('en')} changes`, () => {
    body.append(...changes.slice(changesShown).map(changeRow))
    more.remove()
  })
  return el('div', {}, table, more)
}

function changeRow({ path, before, after }: JsonChange): HTMLElement {
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, data(path === '' ? 'all' : path)),
    el('td', {}, value(before, 'del')),
    el('td', {}, value(after, 'ins')),
  )
}

const longestValue = 400

function value(of: unknown, tag: 'del' | 'ins'): HTMLElement {
  if (of === undefined) return el('span', { class: 'nothing' }, '–')
  const text = typeof of === 'string' ? of : JSON.stringify(of)
  return el(tag, {}, data(text.length > longestValue ? `${text.slice(0, longestValue)}…` : text))
}
