import type { PageData } from '../page-data.ts'
import { announce, button, data, el, facts, sign } from './dom.ts'

export function header(page: PageData, actions: readonly HTMLElement[]): HTMLElement {
  const { verdict, title, errors, notes, replay, leftOut } = page
  const names = title.split(' > ')
  const name = names.pop() ?? title
  return el(
    'header',
    { class: verdict.good ? 'top good' : 'top bad' },
    el(
      'div',
      { class: 'headline' },
      el('p', { class: 'verdict' }, sign(verdict.good ? '✓' : '✗'), verdict.word),
      el(
        'div',
        { class: 'name' },
        ...(names.length === 0 ? [] : [el('p', { class: 'suites' }, data(names.join(' › ')))]),
        el('h1', {}, data(name)),
      ),
      el('div', { class: 'actions' }, ...actions),
    ),
    ...errors.map(errorBlock),
    facts(page.facts.map(({ label, text }) => [label, data(text)])),
    ...[...notes, ...(leftOut === null ? [] : [leftOut])].map((note) =>
      el('p', { class: 'note' }, data(note)),
    ),
    ...(replay === null ? [] : [replayLine(replay)]),
  )
}

function errorBlock({ name, message, stack }: PageData['errors'][number]): HTMLElement {
  const first = message.split('\n')[0] ?? ''
  const details = el('details', { class: 'error' }, el('summary', {}, data(`${name}: ${first}`)))
  details.append(el('pre', { tabindex: '0', 'aria-label': 'Error in full' }, stack ?? `${name}: ${message}`))
  return details
}

function replayLine(command: string): HTMLElement {
  const code = el('code', {}, command)
  const copy = button('Copy', () => {
    void copyText(command, code).then((copied) => {
      copy.textContent = copied ? 'Copied' : 'Selected'
      announce(copied ? 'The replay command was copied.' : 'The replay command is selected.')
    })
  })
  copy.setAttribute('aria-label', 'Copy the replay command')
  return el('div', { class: 'replay' }, el('span', { class: 'label' }, 'Replay'), code, copy)
}

/** Pages from disk may not be let near the clipboard: then the text is selected, ready to be copied by hand. */
async function copyText(text: string, shown: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const selection = getSelection()
    selection?.selectAllChildren(shown)
    return document.execCommand('copy')
  }
}
