import { formatDuration } from '../../core/index.ts'
import type { EventData, LogData, SessionData } from '../page-data.ts'
import { runViewAt } from '../run-view.ts'
import { changesTable } from './changes.ts'
import { data, el, facts, json, sign } from './dom.ts'
import { stepOf, tone } from './events-view.ts'

const logsShown = 50

/** Everything about one event: what it says, what it changed, how the run stood then, and what was logged meanwhile. */
export function detailOf(session: SessionData, position: number): HTMLElement[] {
  const event = session.events[position]
  if (event === undefined) return [el('p', { class: 'empty' }, 'There are no events.')]
  const { after, changes } = runViewAt(session, position)
  const snapshots = session.snapshots.filter(({ seq }) => seq === event.seq)
  const { error, output, ...rest } = event.body
  const logs = logsOf(session.logs, event)
  const crash = session.crashes.findIndex(({ seq }) => seq === event.seq)
  return [
    el(
      'div',
      { class: `detail-head ${tone(event)}` },
      el('p', { class: 'kind' }, `#${event.seq}  ${event.kind}`),
      el('h2', {}, data(event.text)),
    ),
    facts([
      ['Time', `+${formatDuration(event.offsetMs)}`],
      ['Status', event.status],
      ...(event.step === null ? [] : [['Step', data(stepOf(event))] as const]),
      ...(snapshots.length === 0
        ? []
        : [['On disk', data(`snapshot ${snapshots.map(({ label }) => label).join(', ')}`)] as const]),
      ...(crash === -1 ? [] : [['Then', `crash ${crash + 1}: see Disk at the crash`] as const]),
    ]),
    ...(error === undefined ? [] : [titled('Error', json(error, 'Error'))]),
    ...(output === undefined ? [] : [titled('Output', json(output, 'Output'))]),
    titled('Changed by this event', changesTable(changes, 'Changes by this event')),
    ...(logs.length === 0 ? [] : [titled('Logged by this attempt', logList(logs))]),
    folded('Run after this event', () => json(after, 'Run after this event')),
    folded('The event itself', () => json(rest, 'Event')),
  ]
}

export function titled(title: string, ...content: readonly HTMLElement[]): HTMLElement {
  return el('section', { class: 'part' }, el('h3', {}, title), ...content)
}

/** Made when it is opened: a state can be large. */
export function folded(title: string, content: () => HTMLElement): HTMLElement {
  const details = el('details', { class: 'part' }, el('summary', {}, title))
  details.addEventListener('toggle', () => details.append(content()), { once: true })
  return details
}

function logsOf(logs: readonly LogData[], event: EventData): readonly LogData[] {
  if (event.step === null || event.attempt === null) return []
  return logs.filter(
    ({ step, visit, attempt }) => step === event.step && visit === event.visit && attempt === event.attempt,
  )
}

function logList(logs: readonly LogData[]): HTMLElement {
  const more = logs.length - logsShown
  return el(
    'ul',
    { class: 'log-list' },
    ...logs
      .slice(0, logsShown)
      .map(({ level, message }) =>
        el(
          'li',
          { class: level },
          sign(level === 'error' ? '✗' : level === 'warn' ? '!' : '·'),
          data(message),
        ),
      ),
    ...(more > 0 ? [el('li', {}, `and ${more} more: see Logs`)] : []),
  )
}
