import { formatDuration } from '../../../core/index.ts'
import type { ShownStep, ShownWorkflow, ShownWorkflows } from '../../service-data.ts'
import { data, el } from '../dom.ts'
import { plainTable } from '../plain-table.ts'
import { emptyNote } from './empty-note.ts'
import { livePart } from './live-part.ts'
import type { LivePart } from './live-part.ts'
import { scrolling } from './scrolling.ts'

export function workflowsPart(): LivePart {
  const closed = new Set<string>()
  return livePart<ShownWorkflows>({
    id: 'workflows',
    title: 'Workflows',
    path: () => '/api/workflows',
    show: ({ workflows }) =>
      workflows.length === 0
        ? emptyNote('No workflow is served.')
        : el('div', { class: 'list' }, ...workflows.map((workflow) => workflowEntry(workflow, closed))),
  })
}

function workflowEntry(workflow: ShownWorkflow, closed: Set<string>): HTMLElement {
  const { name, title, version, file, steps, limits, description } = workflow
  const head = el(
    'summary',
    { id: `workflow-${name}` },
    data(title, 'entry-title'),
    el('span', { class: 'entry-note' }, data([name, version, ...(file === null ? [] : [file])].join(' · '))),
  )
  const notes = [
    `at most ${limits.maxConcurrentSteps} steps at once`,
    ...(limits.timeoutMs === undefined ? [] : [`limit ${formatDuration(limits.timeoutMs)}`]),
    ...(workflow.onStepFailure === 'continue' ? ['goes on after a failed step'] : []),
    ...(workflow.rollback === true ? ['undoes what was done when it fails'] : []),
  ]
  const entry = el(
    'details',
    { class: 'entry' },
    head,
    ...(description === undefined ? [] : [el('p', { class: 'hint' }, data(description))]),
    scrolling(
      `Steps of ${title}`,
      plainTable(['Step', 'Performed by', 'After', 'Condition', 'Retries', 'Limit'], steps.map(stepRow)),
    ),
    el('p', { class: 'hint' }, notes.join(', ')),
  )
  entry.open = !closed.has(name)
  entry.addEventListener('toggle', () => {
    if (entry.open) closed.delete(name)
    else closed.add(name)
  })
  return entry
}

function stepRow(step: ShownStep): readonly string[] {
  const { id, agent, service, dependsOn, condition, gate, retries, retryDelayMs, timeoutMs } = step
  return [
    id,
    service === undefined ? agent : `${agent} (${service})`,
    dependsOn.length === 0 ? '–' : dependsOn.join(', '),
    [condition ?? (gate === undefined ? '–' : ''), ...(gate === undefined ? [] : [gateText(gate)])]
      .filter((text) => text !== '')
      .join('; '),
    retries === 0 ? '–' : `${retries}, after ${formatDuration(retryDelayMs)}`,
    formatDuration(timeoutMs),
  ]
}

function gateText({ condition, onFail }: NonNullable<ShownStep['gate']>): string {
  const back = onFail === undefined ? '' : `, else back to ${onFail}`
  return `gate: ${condition ?? 'a person decides'}${back}`
}
