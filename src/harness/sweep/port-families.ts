import { portFaultsAt, strikingFault } from './misbehaviours.ts'
import type { PortFamily } from './misbehaviours.ts'
import type { Sweep } from './sweep.ts'
import { afterEnding, isOver, toCompletion } from './swept-life.ts'

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

async function sweepCalls(sweep: Sweep, family: PortFamily): Promise<void> {
  const { discovery, workflow } = sweep
  const { definition } = workflow
  const isOfGates = family === 'gate'
  const calls = discovery.calls.filter(({ operation }) => (operation === 'gate.decide') === isOfGates)
  const { gates, agents } = discovery.countedCalls
  sweep.begin(calls.length, isOfGates ? gates : agents)
  for (const { name, writesBefore } of sweep.chosen(calls)) {
    for (const fault of portFaultsAt(family, name, definition)) {
      if (sweep.hasFoundEnough) return
      const striking = strikingFault(fault, definition)
      if (striking === undefined) continue
      const { portFault, isComparable } = striking
      await sweep.try(
        [fault],
        async (shortcuts) => {
          const struck = await sweep.liveFrom(writesBefore, { ...shortcuts, portFault })
          return isOver(struck) ? struck : toCompletion(workflow, afterEnding(struck), shortcuts)
        },
        isComparable,
      )
    }
    sweep.pointDone()
  }
}
