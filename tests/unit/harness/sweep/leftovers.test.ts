import { expect, test, vi } from 'vitest'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import type { Agents, DriverPorts } from '../../../../src/ports/index.ts'
import type { FaultFamily, FaultSequence } from '../../../../src/harness/index.ts'
import { withPorts } from './altered-engine.ts'
import { judged } from './judged.ts'

// However busy the machine is.
vi.setConfig({ testTimeout: 600_000 })

const workflow: AgentWorkflow = {
  id: 'left',
  steps: [{ id: 'only', agent: 'sleeper', timeout: '10s', retries: 1 }],
}
const agents: Agents = {
  async sleeper({ clock, attempt }) {
    if (attempt === 1) await clock.sleep(5_000)
    return null
  },
}

const keepsFilesOpen = ({ files, ...ports }: DriverPorts): DriverPorts => ({
  ...ports,
  files: {
    perform: (operation) => (operation.op === 'close' ? (undefined as never) : files.perform(operation)),
  },
})
const forgetsTimers = ({ clock, ...ports }: DriverPorts): DriverPorts => ({
  ...ports,
  clock: {
    now: () => clock.now(),
    schedule(at, wake) {
      clock.schedule(at, wake)
      return { cancel() {} }
    },
  },
})

test.each([
  ['a file open', keepsFilesOpen, /^File '\.workflow\/runs\/[^/]+\/events\.jsonl' is still open\.$/],
  ['a timer set', forgetsTimers, /^A timer is still pending: a wake at 1767225605000\.$/],
])('an engine that leaves %s is found', async (_title, changed, sentence) => {
  const { findings } = await judged(workflow, { agents, families: ['time'], driver: withPorts(changed) })
  const found = findings.flatMap(({ violations }) => violations)
  expect(found.filter(({ invariant }) => invariant === 'O19').map((each) => each.sentence)).toContainEqual(
    expect.stringMatching(sentence),
  )
})

const keepsFilesOpenInAFailure =
  (code?: string) =>
  ({ files, ...ports }: DriverPorts): DriverPorts => {
    let hasFailed = false
    return {
      ...ports,
      files: {
        perform(operation) {
          if (hasFailed && operation.op === 'close') return undefined as never
          try {
            return files.perform(operation)
          } catch (error) {
            hasFailed ||= code === undefined || (error as { code?: string }).code === code
            throw error
          }
        },
      },
    }
  }

test('an engine that leaves a file open in a life that fails is found, however the next one ends', async () => {
  const driver = withPorts(keepsFilesOpenInAFailure())
  const { findings, evidences } = await judged(workflow, { agents, families: ['disk'], driver })
  expect(evidences.map(({ ending }) => ending.status)).toContain('completed')
  const ends = findings.flatMap(({ violations }) => violations.map(({ invariant }) => invariant))
  expect(ends.length).toBeGreaterThan(10)
  expect(new Set(ends)).toEqual(new Set(['O19']))
})

test('what one error leaves behind is not held against another that leaves the same world, nor against a crash', async () => {
  const driver = withPorts(keepsFilesOpenInAFailure('ENOSPC'))
  const foundIn = async (...families: FaultFamily[]): Promise<FaultSequence[]> => {
    const { findings } = await judged(workflow, { agents, families, driver })
    return findings.map(({ faults }) => faults)
  }
  const found = await foundIn('disk')
  const errors = found.map(
    ([first]) => first?.family === 'disk' && 'error' in first.fault && first.fault.error,
  )
  expect(new Set(errors)).toEqual(new Set(['ENOSPC']))
  expect(await foundIn('crash', 'disk')).toEqual(found)
})

test('a life that ends as it should has left nothing, whatever has struck', async () => {
  const { findings, evidences } = await judged(workflow, {
    agents,
    families: ['agent', 'time', 'disk', 'lifecycle'],
  })
  expect(findings).toEqual([])
  expect(evidences.length).toBeGreaterThan(30)
  for (const { leftovers } of evidences) expect(leftovers).toEqual({ openFiles: [], timers: [], calls: [] })
})

test('an agent that takes a moment to obey has left nothing', async () => {
  const tidy: Agents = {
    async sleeper({ clock }) {
      try {
        await clock.sleep(5_000)
      } finally {
        for (let moment = 0; moment < 100; moment++) await Promise.resolve()
      }
      return null
    },
  }
  const { findings } = await judged(workflow, { agents: tidy, families: ['lifecycle'] })
  expect(findings).toEqual([])
})

test('an agent that computes before its first call is refused that call once the run is over, and has left nothing', async () => {
  const thoughtful: Agents = {
    async sleeper({ artifacts }) {
      for (let moment = 0; moment < 100; moment++) await Promise.resolve()
      await artifacts.write('thought.md', 'at last')
      return null
    },
  }
  const { findings, evidences } = await judged(workflow, { agents: thoughtful, families: ['lifecycle'] })
  expect(evidences.map(({ ending }) => ending.status)).toContain('cancelled')
  expect(findings).toEqual([])
})
