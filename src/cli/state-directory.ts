import { Option } from 'commander'
import type { Directories } from '../ports/index.ts'
import type { StateDocument } from '../trace/index.ts'

export interface StateDirectoryOption {
  readonly stateDir?: string
}

export function stateDirectoryOption(): Option {
  return new Option(
    '--state-dir <folder>',
    'where runs are kept, relative to the project (default: .workflow)',
  ).env('WORKFLOW_STATE_DIRECTORY')
}

/** The command that goes on with a run from where its state lies. */
export function resumeLine({ runId, launch }: Pick<StateDocument, 'runId' | 'launch'>): string {
  const folder = launch['stateDirectory']
  return `npx faultline resume ${runId}${typeof folder === 'string' ? ` --state-dir ${folder}` : ''}`
}

export function directoriesFrom({ stateDir }: StateDirectoryOption): Directories {
  return stateDir === undefined ? {} : { stateDirectory: stateDir }
}
