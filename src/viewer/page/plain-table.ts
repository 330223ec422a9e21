import { data, el } from './dom.ts'

export function plainTable(titles: readonly string[], rows: readonly (readonly string[])[]): HTMLElement {
  return el(
    'table',
    { class: 'plain-table' },
    el('thead', {}, el('tr', {}, ...titles.map((title) => el('th', { scope: 'col' }, title)))),
    el('tbody', {}, ...rows.map((cells) => el('tr', {}, ...cells.map(plainCell)))),
  )
}

const longestWord = 24

/** Only what no narrow window has room for is broken inside of words. */
function plainCell(text: string): HTMLElement {
  const isLong = text.split(' ').some((word) => word.length > longestWord)
  return el('td', isLong ? { class: 'long' } : {}, data(text))
}
