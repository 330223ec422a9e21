import { el } from './dom.ts'

export interface Tab {
  readonly id: string
  readonly title: string
  readonly count: number | null
  /** Made when the tab is first shown. */
  readonly panel: () => HTMLElement
}

export interface Tabs {
  readonly bar: HTMLElement
  readonly panels: HTMLElement
  show(id: string): void
  readonly shown: () => string
}

export function tabs(all: readonly Tab[]): Tabs {
  const bar = el('div', { role: 'tablist', 'aria-label': 'Parts of the recording', class: 'tabs' })
  const panels = el('main', { class: 'panels' })
  let shown = ''

  const handles = all.map(({ id, title, count }) => {
    const tab = el(
      'button',
      { type: 'button', role: 'tab', id: `tab-${id}`, 'aria-controls': `panel-${id}` },
      title,
    )
    if (count !== null) tab.append(el('span', { class: 'count' }, count.toLocaleString('en')))
    tab.addEventListener('click', () => show(id))
    return tab
  })
  const frames = all.map(({ id }) =>
    el('section', { role: 'tabpanel', id: `panel-${id}`, 'aria-labelledby': `tab-${id}`, hidden: '' }),
  )
  bar.append(...handles)
  panels.append(...frames)
  bar.addEventListener('keydown', (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (step === undefined) return
    const next = (all.findIndex(({ id }) => id === shown) + step + all.length) % all.length
    show(all[next]?.id ?? '')
    handles[next]?.focus()
    event.preventDefault()
  })

  const show = (id: string): void => {
    shown = id
    all.forEach((tab, index) => {
      const frame = frames[index] as HTMLElement
      const isShown = tab.id === id
      handles[index]?.setAttribute('aria-selected', String(isShown))
      handles[index]?.setAttribute('tabindex', isShown ? '0' : '-1')
      frame.hidden = !isShown
      if (isShown && frame.childElementCount === 0) frame.append(tab.panel())
    })
  }
  return { bar, panels, show, shown: () => shown }
}
