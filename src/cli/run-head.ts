import type { RunView } from '../ports/index.ts'
import { instant, statusWords } from './render.ts'

/** What `history` and `timeline` begin with: which run this is, how it stands and when it started. */
export function runHead({ state, status }: RunView): string {
  return [
    `run       ${state.runId}`,
    `workflow  ${state.definition.name} (${state.workflowId} ${state.definition.version})`,
    `status    ${statusWords(status, state)}${status === 'interrupted' ? ': no live process holds the run' : ''}`,
    `started   ${instant(state.startedAt)}`,
    '',
  ].join('\n')
}
