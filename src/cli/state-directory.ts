import { Option } from 'commander'
import type { JsonObject } from '../core/index.ts'
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
  return `npx faultline resume ${runId}${placeOf(launch)}`
}

/** The command that gives a run what it waits for, or takes it up where that comes too late. */
export function nextLine(
  { runId, launch, steps }: Pick<StateDocument, 'runId' | 'launch' | 'steps'>,
  status: 'paused' | 'waiting',
  now = 0,
): string {
  const [name, step] = Object.entries(steps).find(([, each]) => each.status === status) ?? []
  if (now >= (step?.waiting?.expiresAt ?? Infinity)) return resumeLine({ runId, launch })
  if (status === 'waiting') return `npx faultline answer ${runId} ${name} --pass${placeOf(launch)}`
  const [, member = 'name'] = /^\s*input\.([^.[\s]+)/.exec(step?.missingVar ?? '') ?? []
  return `npx faultline resume ${runId} --input ${member}=<value>${placeOf(launch)}`
}

function placeOf(launch: JsonObject): string {
  const { stateDirectory: folder } = directoriesOf(launch)
  return folder === undefined ? '' : ` --state-dir ${folder}`
}

/** Where a run was started to keep its state. */
export function directoriesOf(launch: JsonObject): Directories {
  const folder = launch['stateDirectory']
  return typeof folder === 'string' ? { stateDirectory: folder } : {}
}

export function directoriesFrom({ stateDir }: StateDirectoryOption): Directories {
  return stateDir === undefined ? {} : { stateDirectory: stateDir }
}
