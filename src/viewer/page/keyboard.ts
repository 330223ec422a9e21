import { button, el } from './dom.ts'

export interface Shortcut {
  readonly keys: readonly string[]
  readonly shown: string
  readonly meaning: string
  readonly run: () => void
}

/** Single keys, and never while somebody types or holds a modifier. */
export function listenTo(shortcuts: readonly Shortcut[]): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null)
      return
    const target = event.target
    if (target instanceof HTMLElement && target.matches('input, select, textarea')) {
      if (event.key === 'Escape') target.blur()
      return
    }
    const shortcut = shortcuts.find(({ keys }) => keys.includes(event.key))
    if (shortcut === undefined || scrollsItself(target, event.key)) return
    event.preventDefault()
    shortcut.run()
  })
}

/** Arrows belong to what has the focus and scrolls, unless it is the list of events. */
function scrollsItself(target: EventTarget | null, key: string): boolean {
  if (!key.startsWith('Arrow') || !(target instanceof HTMLElement) || target === document.body) return false
  return !target.matches('[role=grid]')
}

export function helpDialog(shortcuts: readonly Shortcut[]): HTMLDialogElement {
  const dialog = el('dialog', { 'aria-labelledby': 'help-title', class: 'help' })
  dialog.append(
    el('h2', { id: 'help-title' }, 'Keys'),
    el(
      'dl',
      { class: 'keys' },
      ...shortcuts.map(({ shown, meaning }) =>
        el('div', {}, el('dt', {}, el('kbd', {}, shown)), el('dd', {}, meaning)),
      ),
    ),
    button('Close', () => dialog.close()),
  )
  return dialog
}
