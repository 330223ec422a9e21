import { ask, instant, nowMs } from '../browser/index.ts'
import { announce, el, sign } from '../dom.ts'
import { emptyNote } from './empty-note.ts'

/** A part of the page with a request of its own: what becomes of others does not touch it. */
export interface LivePart {
  readonly element: HTMLElement
  /** Asks for its data and shows them; resolves with whether that went well. */
  refresh(): Promise<boolean>
}

interface LivePartOptions<Data> {
  readonly id: string
  readonly title: string
  readonly path: () => string
  /** What the data look like; never given what did not come from the service. */
  readonly show: (data: Data) => HTMLElement
}

/**
 * Says of itself whether what it shows is live. When a request fails it keeps what it has and says since when that is stale; what it has
 * never received it does not make up.
 */
export function livePart<Data>({ id, title, path, show }: LivePartOptions<Data>): LivePart {
  const state = el('p', { class: 'part-state', id: `${id}-state` })
  const body = el('div', { class: 'part-body' }, emptyNote('Being asked for…'))
  const heading = el('h2', { id: `${id}-title` }, title)
  const element = el(
    'section',
    { class: 'card part', id, 'aria-labelledby': `${id}-title` },
    el('div', { class: 'card-head' }, heading, state),
    body,
  )
  let shown = ''
  let receivedAt: string | undefined
  let word = ''

  const mark = (next: 'live' | 'stale' | 'offline', text: string): void => {
    element.dataset['state'] = next
    state.replaceChildren(sign(next === 'live' ? '●' : '!'), text)
    if (word !== next && (word !== '' || next !== 'live')) announce(`${title}: ${text}`)
    word = next
  }
  return {
    element,
    async refresh() {
      try {
        const text = await ask(path())
        if (text !== shown) {
          keepingFocus(body, () => body.replaceChildren(show(JSON.parse(text) as Data)))
          shown = text
        }
        receivedAt = instant(nowMs())
        mark('live', 'live')
        return true
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        if (receivedAt === undefined) {
          body.replaceChildren(emptyNote('Nothing has been received yet.'))
          mark('offline', `offline: ${why}`)
        } else mark('stale', `stale, as of ${receivedAt}: ${why}`)
        return false
      }
    },
  }
}

/** What had the focus has it again, by its id, when it has been made anew. */
function keepingFocus(within: HTMLElement, change: () => void): void {
  const focused = document.activeElement
  const id = focused !== null && within.contains(focused) ? focused.id : ''
  change()
  if (id !== '') document.getElementById(id)?.focus()
}
