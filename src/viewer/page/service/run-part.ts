import { formatDuration } from '../../../core/index.ts'
import type { RunRecord, StepRecord } from '../../../trace/index.ts'
import { instant } from '../browser/index.ts'
import { button, data, el, facts } from '../dom.ts'
import { livePart } from './live-part.ts'
import type { LivePart } from './live-part.ts'
import { scrolling } from './scrolling.ts'
import { statusTag } from './status-tag.ts'

/** One run, step by step. */
export function runPart(runId: string, close: () => void): LivePart {
  const part = livePart<RunRecord>({
    id: 'run',
    title: `Run ${runId}`,
    path: () => `/api/runs/${encodeURIComponent(runId)}`,
    show: (run) =>
      el(
        'div',
        {},
        facts([
          ['status', statusTag(run)],
          ['workflow', data(`${run.workflowName} (${run.workflowId})`)],
          ['started', instant(run.startedAt)],
          ['took', run.durationMs === null ? '–' : formatDuration(run.durationMs)],
        ]),
        scrolling(`Steps of run ${runId}`, stepTable(run.steps)),
      ),
  })
  part.element.querySelector('.card-head')?.append(button('Close', close, { id: 'close-run' }))
  return part
}

function stepTable(steps: readonly StepRecord[]): HTMLElement {
  const titles = ['Status', 'Step', 'Agent', 'Took', 'Attempts', 'Came to']
  return el(
    'table',
    { class: 'plain-table' },
    el('thead', {}, el('tr', {}, ...titles.map((title) => el('th', { scope: 'col' }, title)))),
    el('tbody', {}, ...steps.map(stepRow)),
  )
}

const longestText = 300

function stepRow(step: StepRecord): HTMLElement {
  const { agent, durationMs, attempts, error, skipped, output } = step
  const outcome =
    error?.message ?? skipped?.reason.replaceAll('_', ' ') ?? (output === null ? '–' : JSON.stringify(output))
  return el(
    'tr',
    {},
    el('td', {}, statusTag(step)),
    el('th', { scope: 'row' }, data(step.step)),
    el('td', {}, data(agent)),
    el('td', {}, durationMs === null ? '–' : formatDuration(durationMs)),
    el('td', {}, String(attempts.length)),
    el(
      'td',
      { class: 'long' },
      data(outcome.length > longestText ? `${outcome.slice(0, longestText)}…` : outcome),
    ),
  )
}
