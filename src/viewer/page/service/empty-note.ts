import { el } from '../dom.ts'

export function emptyNote(text: string): HTMLElement {
  return el('p', { class: 'empty' }, text)
}
