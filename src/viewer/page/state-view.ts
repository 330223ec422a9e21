import { jsonDiff } from '../../core/index.ts'
import type { SessionData } from '../page-data.ts'
import { changesTable } from './changes.ts'
import { folded, titled } from './detail-view.ts'
import { data, el, facts, json } from './dom.ts'
import { picker } from './picker.ts'
import { empty } from './virtual-rows.ts'

/** What was on disk around the failure and every resume, each against the one before. */
export function stateView({ snapshots }: SessionData): HTMLElement {
  if (snapshots.length === 0) return empty('No snapshots of the state are in this page.')
  return picker(
    'Snapshots',
    snapshots.map(({ label, status }) => ({ title: label, note: status })),
    (index) => {
      const snapshot = snapshots[index] as SessionData['snapshots'][number]
      const before = snapshots[index - 1]
      return [
        el('h2', {}, data(snapshot.label)),
        facts([
          ['Status', data(snapshot.status)],
          ['Last event', `#${snapshot.seq}`],
          ...(before === undefined ? [] : [['Compared with', data(before.label)] as const]),
        ]),
        before === undefined
          ? titled('State', json(snapshot.state, 'State'))
          : titled(
              `Different from: ${before.label}`,
              changesTable(jsonDiff(before.state, snapshot.state), 'Changes of the state'),
            ),
        ...(before === undefined ? [] : [folded('State', () => json(snapshot.state, 'State'))]),
      ]
    },
    // The first one has none before it to be compared with.
    Math.min(1, snapshots.length - 1),
  )
}
