import type { JsonObject } from '../core/index.ts'
import type { AgentsChoice } from './agents-module.ts'

interface Launch {
  readonly file: string
  /** Which workflow, of a file that holds several. */
  readonly workflow?: string | undefined
  readonly clock: 'virtual' | 'real'
  readonly stateDir?: string | undefined
  readonly choice: AgentsChoice
  readonly mockDelay: number
}

/** What a later process needs to know to take up the run. */
export function launchRecord({ file, workflow, clock, stateDir, choice, mockDelay }: Launch): JsonObject {
  return {
    file,
    ...(workflow === undefined ? {} : { workflow }),
    clock,
    ...(stateDir === undefined ? {} : { stateDirectory: stateDir }),
    ...(choice.kind === 'mock' ? { mock: true, mockDelayMs: mockDelay } : {}),
    ...(choice.kind === 'module' ? { agents: choice.path } : {}),
  }
}
