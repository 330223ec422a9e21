import { expect, test, vi } from 'vitest'
import { isFaultlineError } from '../../../../src/core/index.ts'
import type { WorkflowDriver } from '../../../../src/ports/index.ts'
import { sweptAgents as agents } from '../../../support/swept-workflows.ts'
import { altered, withIncarnation } from './altered-engine.ts'
import { judged } from './judged.ts'

// However busy the machine is.
vi.setConfig({ testTimeout: 600_000 })

const workflow = {
  id: 'disturbed',
  steps: [
    { id: 'one', agent: 'writer', creates: ['out/one.txt'] },
    { id: 'two', agent: 'writer', dependsOn: 'one', creates: ['out/two.txt'] },
  ],
}

/** `<what was done>: <sentence>`. */
async function found(driver?: WorkflowDriver): Promise<readonly string[]> {
  const options = { agents, families: ['lifecycle'] as const }
  const { findings } = await judged(workflow, driver === undefined ? options : { ...options, driver })
  return findings.flatMap(({ faults: [fault], violations }) =>
    violations.map(
      ({ sentence }) => `${fault !== undefined && 'action' in fault ? fault.action : ''}: ${sentence}`,
    ),
  )
}

/** What an engine does besides when it refuses a run that somebody holds. */
const refusing = (besides: (error: unknown, disk: { write(path: string): unknown }) => unknown) =>
  altered(
    (ports) => ports,
    (life, { files }) => ({
      ...life,
      async recover(request) {
        try {
          return await life.recover(request)
        } catch (error) {
          if (!isFaultlineError(error, 'RUN_OWNED')) throw error
          const write = (path: string): unknown => files.perform({ op: 'write', path, data: 'seen' })
          throw await besides(error, { write })
        }
      },
    }),
  )

test('nobody is found who cancels a run, or wants it too, where all is well', async () => {
  expect(await found()).toEqual([])
})

test('an engine is found that lets a second process have the run', async () => {
  const driver = altered(
    (ports) => ({ ...ports, owner: { self: ports.owner.self, liveness: () => 'dead' } }),
    (life) => life,
  )
  expect(await found(driver)).toContain(
    'resume-meanwhile: A second process could resume the run while this one held it.',
  )
})

test('an engine is found that refuses the run for another reason than that somebody has it', async () => {
  expect(await found(refusing(() => new Error('out of order')))).toEqual([
    'resume-meanwhile: A second process was refused the run for another reason: out of order',
    'resume-meanwhile: A second process was refused the run for another reason: out of order',
  ])
})

test('an engine is found that refuses the run and changes the disk', async () => {
  const driver = refusing(async (error, disk) => {
    await disk.write('rival.txt')
    return error
  })
  expect(await found(driver)).toContain(
    'resume-meanwhile: A second process that was refused the run changed what is on disk.',
  )
})

test('an engine is found that goes on with a run that was cancelled', async () => {
  const driver = withIncarnation((life) => ({ ...life, cancel() {} }))
  expect(await found(driver)).toContainEqual(expect.stringMatching(/^cancel: /))
})

test('a run is cancelled when a step has just been called, and calls nobody any more', async () => {
  const { evidences } = await judged(workflow, { agents, families: ['lifecycle'] })
  const cancelled = evidences.filter(({ ending }) => ending.status === 'cancelled')
  expect(cancelled.map(({ executions }) => executions.map(({ step }) => step))).toEqual([
    ['one'],
    ['one', 'two'],
  ])
})
