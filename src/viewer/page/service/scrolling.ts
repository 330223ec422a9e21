import { el } from '../dom.ts'

/** What may be wider than the window scrolls in itself, also by the keyboard. */
export function scrolling(label: string, content: HTMLElement): HTMLElement {
  return el('div', { class: 'scrolling', role: 'region', tabindex: '0', 'aria-label': label }, content)
}
