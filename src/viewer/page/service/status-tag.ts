import type { RunSummary, StepRecord } from '../../../trace/index.ts'
import { el, sign } from '../dom.ts'

type Status = RunSummary['status'] | StepRecord['status']

const signs: Readonly<Record<Status, string>> = {
  pending: '·',
  running: '>',
  retrying: '↻',
  paused: '‖',
  waiting: '?',
  completed: '✓',
  failed: '✗',
  skipped: '-',
  cancelled: '■',
  interrupted: '!',
}

/** The word says it; sign and colour repeat it. */
export function statusTag({
  status,
  hasFailures = false,
  degraded = false,
}: {
  readonly status: Status
  readonly hasFailures?: boolean
  readonly degraded?: boolean
}): HTMLElement {
  const notes = [...(degraded ? ['degraded'] : []), ...(hasFailures ? ['failures found'] : [])]
  const tone = notes.length > 0 && status === 'completed' ? 'warned' : status
  return el('span', { class: `tag ${tone}` }, sign(signs[status]), [status, ...notes].join(', '))
}
