import { formatDuration } from '../../../core/index.ts'
import type { RunSummary } from '../../../trace/index.ts'
import type { ShownRuns } from '../../service-data.ts'
import { instant } from '../browser/index.ts'
import { button, data, el } from '../dom.ts'
import { emptyNote } from './empty-note.ts'
import { livePart } from './live-part.ts'
import type { LivePart } from './live-part.ts'
import { scrolling } from './scrolling.ts'
import { statusTag } from './status-tag.ts'

const shownRuns = 20

/** @param choose shows the steps of a run */
export function runsPart(choose: (runId: string) => void): LivePart {
  return livePart<ShownRuns>({
    id: 'runs',
    title: 'Latest runs',
    path: () => `/api/runs?limit=${shownRuns}`,
    show: ({ runs, damaged }) =>
      el(
        'div',
        {},
        ...(damaged.length === 0
          ? []
          : [el('p', { class: 'note' }, data(`Cannot be read: ${damaged.join(', ')}`))]),
        runs.length === 0 ? emptyNote('No run is kept here.') : runTable(runs, choose),
      ),
  })
}

function runTable(runs: readonly RunSummary[], choose: (runId: string) => void): HTMLElement {
  const titles = ['Status', 'Run', 'Workflow', 'Started', 'Took', 'Steps', 'Error']
  return scrolling(
    'Latest runs',
    el(
      'table',
      { class: 'plain-table' },
      el('thead', {}, el('tr', {}, ...titles.map((title) => el('th', { scope: 'col' }, title)))),
      el('tbody', {}, ...runs.map((run) => runRow(run, choose))),
    ),
  )
}

function runRow(run: RunSummary, choose: (runId: string) => void): HTMLElement {
  const { runId, workflowId, startedAt, durationMs, completedSteps, steps, error } = run
  const open = button(runId, () => choose(runId), {
    class: 'link',
    id: `run-${runId}`,
    title: 'Show its steps',
  })
  return el(
    'tr',
    {},
    el('td', {}, statusTag(run)),
    el('th', { scope: 'row' }, open),
    el('td', {}, data(workflowId)),
    el('td', {}, instant(startedAt)),
    el('td', {}, durationMs === null ? '–' : formatDuration(durationMs)),
    el('td', {}, `${completedSteps}/${steps}`),
    el('td', { class: 'long' }, data(error === null ? '–' : errorText(error))),
  )
}

function errorText({ step, message }: NonNullable<RunSummary['error']>): string {
  return step === null ? message : `${step}: ${message}`
}
