import { pause } from '../browser/index.ts'
import { el, sign } from '../dom.ts'
import { themeButton } from '../theme.ts'
import type { LivePart } from './live-part.ts'
import { runPart } from './run-part.ts'
import { runsPart } from './runs-part.ts'
import { servicesPart } from './services-part.ts'
import { workflowsPart } from './workflows-part.ts'

const pollEveryMs = 2_000

const verdict = el('p', { class: 'verdict' })
const chosen = el('div', { id: 'chosen' })
let run: LivePart | undefined

const parts: readonly LivePart[] = [workflowsPart(), servicesPart(), runsPart(choose)]
const [workflows, services, runs] = parts.map(({ element }) => element) as [
  HTMLElement,
  HTMLElement,
  HTMLElement,
]

document.body.append(
  el(
    'header',
    { class: 'top' },
    el(
      'div',
      { class: 'headline' },
      verdict,
      el('div', { class: 'name' }, el('h1', {}, 'Workflows and runs')),
      el('div', { class: 'actions' }, themeButton()),
    ),
  ),
  el('main', { class: 'service' }, runs, chosen, workflows, services),
  el('p', { class: 'unseen', role: 'status', id: 'announcement' }),
)

function choose(runId: string): void {
  const part = runPart(runId, () => {
    run = undefined
    chosen.replaceChildren()
    document.getElementById(`run-${runId}`)?.focus()
  })
  run = part
  chosen.replaceChildren(part.element)
  document.getElementById('close-run')?.focus()
  void part.refresh()
}

async function refreshAll(): Promise<void> {
  const went = await Promise.all(
    [...parts, ...(run === undefined ? [] : [run])].map((part) => part.refresh()),
  )
  const good = went.filter(Boolean).length
  const word = good === went.length ? 'live' : good === 0 ? 'offline' : 'partly stale'
  document.documentElement.dataset['service'] = word
  verdict.replaceChildren(sign(word === 'live' ? '●' : '!'), word)
}

/** One round after the other: a slow service is never asked twice at once. A page that nobody sees asks nothing. */
async function poll(): Promise<void> {
  for (;;) {
    if (!document.hidden) await refreshAll()
    await pause(pollEveryMs)
  }
}

document.addEventListener('keydown', ({ key, target, ctrlKey, metaKey, altKey }) => {
  if (ctrlKey || metaKey || altKey || target instanceof HTMLInputElement) return
  if (key === 't') document.querySelector<HTMLButtonElement>('.actions button')?.click()
})
void poll()
