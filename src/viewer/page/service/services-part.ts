import { formatDuration } from '../../../core/index.ts'
import type { ShownService, ShownServices } from '../../service-data.ts'
import { data, el, sign } from '../dom.ts'
import { emptyNote } from './empty-note.ts'
import { livePart } from './live-part.ts'
import type { LivePart } from './live-part.ts'

const signs: Readonly<Record<ShownService['health']['status'], string>> = { up: '✓', down: '✗', unknown: '?' }

export function servicesPart(): LivePart {
  return livePart<ShownServices>({
    id: 'services',
    title: 'Services',
    path: () => '/api/services',
    show: ({ services }) =>
      services.length === 0
        ? emptyNote('The workflows name no service.')
        : el('ul', { class: 'list' }, ...services.map(serviceEntry)),
  })
}

function serviceEntry({ name, url, workflows, health }: ShownService): HTMLElement {
  const { status, detail, durationMs } = health
  return el(
    'li',
    { class: 'entry' },
    el(
      'p',
      { class: 'entry-head' },
      data(name, 'entry-title'),
      el('span', { class: `tag ${status}` }, sign(signs[status]), status),
    ),
    el('p', { class: 'entry-note' }, data(url ?? 'no address')),
    el('p', { class: 'entry-note' }, data(`${detail} (${formatDuration(durationMs)})`)),
    el('p', { class: 'entry-note' }, data(`for ${workflows.join(', ')}`)),
  )
}
