import type { SessionData } from '../page-data.ts'
import { detailOf } from './detail-view.ts'
import { el } from './dom.ts'
import { eventsView, type EventsView } from './events-view.ts'
import { lanesView, type LanesView } from './lanes-view.ts'

export interface TimelineView {
  readonly element: HTMLElement
  readonly events: EventsView
  readonly lanes: LanesView
}

export function timelineView(session: SessionData): TimelineView {
  const detail = el('aside', { class: 'card detail', 'aria-label': 'Selected event', tabindex: '0' })
  const select = (position: number): void => {
    events.select(position)
    lanes.select(position)
    detail.replaceChildren(...detailOf(session, position))
    detail.scrollTop = 0
  }
  const events = eventsView(session, select)
  const lanes = lanesView(session, select)
  detail.replaceChildren(...detailOf(session, session.focus))
  requestAnimationFrame(() => {
    lanes.fit()
    lanes.select(session.focus)
    events.select(session.focus)
  })
  return {
    element: el(
      'div',
      { class: 'timeline' },
      el('div', { class: 'charts' }, lanes.element, events.element),
      detail,
    ),
    events,
    lanes,
  }
}
