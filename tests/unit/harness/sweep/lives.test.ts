import { describe, expect, test, vi } from 'vitest'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { FaultlineError } from '../../../../src/core/index.ts'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import { liveOn } from '../../../../src/harness/sweep/swept-life.ts'
import type { LifeOptions } from '../../../../src/harness/sweep/life-options.ts'
import { afterLife, copyOf, freshWorld } from '../../../../src/harness/sweep/swept-world.ts'
import type { SweptWorld } from '../../../../src/harness/sweep/swept-world.ts'
import type { Agents } from '../../../../src/ports/index.ts'
import { treeOf } from '../../../support/files-contract.ts'
import { sweptAgents } from '../../../support/swept-workflows.ts'
import { sweptWorkflow } from '../../../support/swept-workflow.ts'
import { altered, withIncarnation } from './altered-engine.ts'
import { judged } from './judged.ts'

// However busy the machine is.
vi.setConfig({ testTimeout: 600_000 })

describe('a run whose process was killed', () => {
  /** Fails from its second attempt on, as often as said: each time in a life of its own. */
  const failing = (times: number): Agents => ({
    one({ attempt }) {
      if (attempt > 1 && attempt <= 1 + times) throw new Error('not again')
      return null
    },
  })
  const swept = async (times: number) => {
    const { findings, evidences } = await judged(
      { id: 'failing', steps: [{ id: 'one', agent: 'one' }] },
      { agents: failing(times), families: ['crash'], recoveryCrashes: false },
    )
    return {
      found: findings.flatMap(({ violations }) => violations.map(({ sentence }) => sentence)),
      attempts: Math.max(...evidences.flatMap(({ executions }) => executions.map(({ attempt }) => attempt))),
    }
  }

  test('has four lives to come to its end', async () => {
    expect(await swept(0)).toEqual({ found: [], attempts: 2 })
    expect(await swept(3)).toEqual({ found: [], attempts: 5 })
  })

  test('has no more than these', async () => {
    const { found, attempts } = await swept(4)
    expect(found).toContain('The run ended failed, and completed in the run without faults.')
    expect(attempts).toBe(5)
  })
})

test('an operator goes to a run that asks twenty times, and then lets it be', async () => {
  const visits: number[] = []
  const asking: AgentWorkflow = {
    id: 'asking',
    steps: [
      { id: 'draft', agent: 'writer' },
      { id: 'review', agent: 'writer', gate: { human: true, onFail: 'draft', maxLoops: 99 } },
    ],
  }
  const agents: Agents = {
    writer({ step, visit }) {
      if (step === 'draft') visits.push(visit)
      return null
    },
  }
  await expect(
    judged(asking, { agents, operator: { answers: { review: false } }, families: ['gate'] }),
  ).rejects.toMatchObject({ code: 'SWEEP_IMPOSSIBLE', message: expect.stringContaining('it ended waiting') })
  expect(Math.max(...visits)).toBe(21)
})

describe('a recovery', () => {
  const single: AgentWorkflow = {
    id: 'single',
    steps: [{ id: 'one', agent: 'writer', creates: ['out/one.txt'] }],
  }

  test('that ends where another one has ended is left there', async () => {
    const { shortcuts, findings, evidences } = await judged(single, {
      agents: sweptAgents,
      families: ['crash'],
      recoveryCrashes: false,
    })
    expect(findings).toEqual([])
    const left = evidences.filter(({ ending }) => ending.status === 'left')
    // No step comes after the only one: it can be left nowhere else.
    expect(left.length).toBeGreaterThan(10)
    expect(shortcuts.rejoined).toBe(left.length + shortcuts.audited)
    expect(Math.max(...left.map(({ executions }) => executions.length))).toBe(1)
  })

  test('that ends where none has ended goes on', async () => {
    /** What was on disk when a run had been taken over, and whether some life has gone on from there. */
    const wentOn = new Map<string, boolean>()
    const driver = altered(
      (ports) => ports,
      (life, { files }) => {
        let there: string | undefined
        return {
          ...life,
          async recover(request) {
            const recovered = await life.recover(request)
            there = JSON.stringify(await treeOf(files))
            wentOn.set(there, wentOn.get(there) ?? false)
            return recovered
          },
          tick(policy) {
            if (there !== undefined) wentOn.set(there, true)
            return life.tick(policy)
          },
        }
      },
    )
    const options = { agents: sweptAgents, families: ['crash'], recoveryCrashes: false } as const
    const { shortcuts } = await judged(single, { ...options, driver })
    expect(shortcuts.rejoined).toBeGreaterThan(10)
    expect(wentOn.size).toBeGreaterThan(3)
    expect([...wentOn.values()]).not.toContain(false)
  })

  /** The world of a run that was killed before its agent had written. */
  async function killed(): Promise<SweptWorld> {
    const workflow = await sweptWorkflow(single, sweptAgents)
    let world: SweptWorld | undefined
    await liveOn(workflow, freshWorld(createVirtualFiles(), 0), {
      onWrite({ operation, name }, there) {
        if (operation === 'rename' && name.includes('out/one.txt')) world ??= there()
      },
    })
    if (world === undefined) throw new Error('there is no such write')
    return afterLife(world, 'run', world.disk.afterCrash('power-min'))
  }

  async function recovered(options: LifeOptions) {
    return liveOn(await sweptWorkflow(single, sweptAgents), copyOf(await killed()), options)
  }

  test('is asked for once it has taken the run over, before any agent is called', async () => {
    const asked: SweptWorld[] = []
    const left = await recovered({ endsOnceRecovered: (world) => asked.push({ ...world }) > 0 })
    expect([left.leftAt, left.world.ending]).toEqual(['recovery', { status: 'left' }])
    expect(left.world.executions).toEqual((await killed()).executions)
    expect(asked).toHaveLength(1)
    expect(left.leftovers).toEqual({ openFiles: [], timers: [], calls: [] })
    const stays = await recovered({ endsOnceRecovered: () => false })
    expect([stays.leftAt, stays.world.ending]).toEqual([undefined, { status: 'completed' }])
  })

  test('goes on as long as something is still to strike', async () => {
    const writes: string[] = []
    await recovered({ onWrite: ({ during, name }) => void (during === 'run' && writes.push(name)) })
    const diskFault = { at: writes[0] ?? '', fault: { mode: 'before', error: 'EIO' }, sticky: false } as const
    const struck = await recovered({ endsOnceRecovered: () => true, diskFault })
    expect([struck.leftAt, struck.wasStruck, struck.world.faults.length]).toEqual([undefined, true, 1])
  })
})

test('an engine that takes no failed run over is found by every fault that fails one', async () => {
  const driver = withIncarnation((incarnation) => ({
    ...incarnation,
    async recover() {
      throw new FaultlineError('RUN_NOT_RESUMABLE', 'Not today.', { details: { status: 'failed' } })
    },
  }))
  const { findings } = await judged(
    { id: 'refused', steps: [{ id: 'one', agent: 'one' }] },
    { agents: { one: () => null }, families: ['agent'], driver },
  )
  const found = findings.flatMap(({ violations }) => violations)
  expect(found.filter(({ invariant }) => invariant === 'O1').map(({ sentence }) => sentence)).toContainEqual(
    expect.stringMatching(/^The run ended \w+ although it was resumed when nothing went wrong any more; /),
  )
})
