import { crashAt, crashRecovery } from './crash-family.ts'
import type { CallCounts } from './discovery.ts'
import { isBetweenLives, misuseGate } from './gate-misuse.ts'
import { portFaultsAt, strikingFault } from './misbehaviours.ts'
import type { PortFamily } from './misbehaviours.ts'
import type { Sweep } from './sweep.ts'
import { afterEnding, isOver, onward } from './later-lives.ts'
import type { FaultPoint, LifeOptions } from './life-options.ts'
import { copyOf, untold } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

/** Calls of agents that fail, or answer what they should not. */
export async function sweepAgents(sweep: Sweep): Promise<void> {
  await sweepCalls(sweep, 'agent')
}

/** Gates that say no, cannot be judged, or never answer. */
export async function sweepGates(sweep: Sweep): Promise<void> {
  await sweepCalls(sweep, 'gate')
}

/** Answers just before, at and after the limit, and a clock that is set while an agent works. */
export async function sweepTime(sweep: Sweep): Promise<void> {
  await sweepCalls(sweep, 'time')
}

/** Requests to other services that are refused, lost, never answered, or answered badly. */
export async function sweepNetwork(sweep: Sweep): Promise<void> {
  await sweepCalls(sweep, 'network')
}

/** What the calls of each family are, and who counts them. */
export const callsOf = {
  agent: { operations: ['agent.invoke'], counter: 'agents' },
  gate: { operations: ['gate.decide', 'gate.answer'], counter: 'gates' },
  time: { operations: ['agent.invoke'], counter: 'agents' },
  network: { operations: ['http.request'], counter: 'requests' },
} as const satisfies Record<
  PortFamily,
  { readonly operations: readonly string[]; readonly counter: keyof CallCounts }
>

async function sweepCalls(sweep: Sweep, family: PortFamily): Promise<void> {
  const { discovery, workflow } = sweep
  const { definition } = workflow
  const { operations, counter } = callsOf[family]
  const calls = discovery.calls.filter(({ operation }) => operations.some((name) => name === operation))
  sweep.begin(calls.length, discovery.countedCalls[counter])
  for (const { name, writesBefore } of sweep.chosen(calls)) {
    for (const fault of portFaultsAt(family, name, definition)) {
      if (sweep.hasFoundEnough) return
      const striking = strikingFault(fault, definition)
      if (striking === undefined) continue
      const { portFault, isComparable } = striking
      if (isBetweenLives(fault)) {
        const misused = await misuseGate(workflow, fault, portFault, discovery)
        if (misused !== undefined) await sweep.try([fault], async () => misused, isComparable)
        continue
      }
      let left: SweptWorld | undefined
      const later = new Map<string, FaultPoint>()
      // Of the same life, a rollback among others.
      const noteLater: LifeOptions['onWrite'] = (point, there) => {
        const world = there()
        if (world.faults.length > 0) later.set(point.name, { ...point, world: untold(world) })
      }
      const noted = sweep.tier === 'deep' ? { onWrite: noteLater } : {}
      await sweep.try(
        [fault],
        async (shortcuts) => {
          // Agents are to be called: what they have answered is nothing to go on from.
          const options = { ...shortcuts, portFault, ...noted }
          const struck = await sweep.liveFrom(writesBefore, options, discovery.boundaries)
          left = isOver(struck) || sweep.tier !== 'deep' ? undefined : copyOf(afterEnding(struck))
          return onward(workflow, struck, shortcuts)
        },
        isComparable,
      )
      await crashAt(sweep, later.values(), [fault], isComparable)
      if (left !== undefined) await crashRecovery(sweep, [fault], left, isComparable)
    }
    sweep.pointDone()
  }
}
