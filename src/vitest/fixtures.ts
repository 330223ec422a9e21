import { test as vitestTest } from 'vitest'
import type { TestAPI } from 'vitest'
import { removeTemporaryRoots } from '../adapters/node/index.ts'
import type { Agent, Agents, Project } from '../harness/index.ts'
import { closeJournals, workerJournal } from './journal.ts'
import { eachFaultOf } from './each-fault.ts'
import type { EachFault } from './each-fault.ts'
import { fingerprintKey, settings } from './worker-settings.ts'
import { createTestRecorder } from './test-recorder.ts'
import type { TestRecorder } from './test-recorder.ts'

/** What a test can ask for by name. */
export interface FaultlineFixtures {
  /** Which template `project` is made from. Default `minimal`; set it with `test.override('template', 'medium')`. */
  readonly template: string
  /** The clock for sessions: pass it on as an option. Default `virtual`. */
  readonly clock: 'virtual' | 'real'
  /** Derived from file and name of the test, so that order, filters and shards do not change it. */
  readonly seed: number | string
  /** In state, events, logs and bundle of everything the test runs. */
  readonly correlationId: string
  /** A fresh folder made from the template; gone after the test. */
  readonly project: Project
  /** The agents that the template brings. */
  readonly agents: Agents
  /** Performs any step: give it by any name, as in `{ ...agents, reviewer: mockAgent }`. */
  readonly mockAgent: Agent
  /** Follows the test; there is no need to ask for it. */
  readonly faultlineRecorder: TestRecorder
}

const extended = vitestTest
  .extend('template', 'minimal' as string)
  .extend('clock', 'virtual' as 'virtual' | 'real')
  // Workers are ended without an exit event: projects that a test made for itself would stay.
  // oxlint-disable-next-line no-empty-pattern -- Vitest reads from the pattern what a fixture asks for
  .extend('faultlineFile', { auto: true, scope: 'file' }, ({}, { onCleanup }) => {
    onCleanup(async () => {
      closeJournals()
      await removeTemporaryRoots()
    })
  })
  .extend('faultlineRecorder', { auto: true }, async ({ task, signal }, { onCleanup }) => {
    const config = settings()
    const recorder = createTestRecorder(task, signal, config, await workerJournal(config, fingerprintKey()))
    onCleanup(() => recorder.finish())
    return recorder
  })
  .extend('seed', ({ faultlineRecorder }) => faultlineRecorder.seed)
  .extend('correlationId', ({ faultlineRecorder }) => faultlineRecorder.correlationId)
  .extend('project', ({ faultlineRecorder, template }) => faultlineRecorder.createProject(template))
  .extend('agents', ({ project }) => project.agents)
  .extend('mockAgent', async () =>
    (await import('../harness/index.ts')).mockAgent(),
  ) as unknown as TestAPI<FaultlineFixtures>

/** Vitest's `test`, with one for every single fault of a workflow. What `override` returns has it too, what `extend` does has not. */
export type FaultlineTest = {
  readonly eachFault: EachFault<FaultlineFixtures>
  readonly override: Override
} & TestAPI<FaultlineFixtures>

interface Override {
  <Name extends keyof FaultlineFixtures>(name: Name, value: FaultlineFixtures[Name]): FaultlineTest
}

export const test = Object.assign(extended, { eachFault: eachFaultOf(extended) }) as FaultlineTest
