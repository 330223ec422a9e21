import { data, el } from './dom.ts'

export interface Choice {
  readonly title: string
  readonly note: string
}

/** A list of names beside what the chosen one holds. */
export function picker(
  label: string,
  choices: readonly Choice[],
  content: (index: number) => readonly HTMLElement[],
  first = 0,
): HTMLElement {
  const view = el('div', {
    class: 'card picked',
    tabindex: '0',
    role: 'region',
    'aria-label': `${label}: chosen`,
  })
  const buttons = choices.map(({ title, note }, index) => {
    const choice = el(
      'button',
      { type: 'button' },
      data(title),
      el('span', { class: 'choice-note' }, data(note)),
    )
    choice.addEventListener('click', () => choose(index))
    return choice
  })
  const choose = (index: number): void => {
    buttons.forEach((each, at) => each.setAttribute('aria-current', String(at === index)))
    view.replaceChildren(...content(index))
    view.scrollTop = 0
  }
  choose(first)
  return el(
    'div',
    { class: 'picker' },
    el(
      'nav',
      { class: 'card choices', 'aria-label': label },
      el('ul', {}, ...buttons.map((each) => el('li', {}, each))),
    ),
    view,
  )
}
