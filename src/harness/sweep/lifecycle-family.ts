import type { WorkflowDefinition } from '../../definition/index.ts'
import type { LifecycleFault } from './report.ts'
import type { Sweep } from './sweep.ts'
import { liveOn, onward, toCompletion } from './swept-life.ts'
import type { EndedLifeOf } from './swept-life.ts'
import { afterLife, copyOf } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

/** What people do to a run between two of its steps: they cancel it, resume it twice, or change its definition. */
export async function sweepLifecycle(sweep: Sweep): Promise<void> {
  const { workflow, discovery } = sweep
  const places = discovery.boundaries.map((boundary) => {
    return { ...boundary, name: `${boundary.world.lives.length + 1}/run:run.goOn:${boundary.place}#1` }
  })
  sweep.begin(places.length, discovery.countedForks)
  for (const { name, place, writesBefore, world } of sweep.chosen(places)) {
    for (const action of ['cancel', 'resume-meanwhile'] as const) {
      if (sweep.hasFoundEnough) return
      const fault: LifecycleFault = { family: 'lifecycle', at: name, action }
      const interference = { place, action }
      await sweep.try(
        [fault],
        async (shortcuts) => {
          const ended = await sweep.liveFrom(writesBefore - 1, { ...shortcuts, interference })
          return onward(workflow, ended, shortcuts)
        },
        action !== 'cancel',
      )
    }
    if (sweep.hasFoundEnough) return
    const fault: LifecycleFault = { family: 'lifecycle', at: name, action: 'change-definition' }
    await sweep.try([fault], () => resumeUnderAnother(sweep, world))
    sweep.pointDone()
  }
}

/** Who resumes under another definition than the run goes by is refused, and has changed nothing. */
async function resumeUnderAnother(sweep: Sweep, world: SweptWorld): Promise<EndedLifeOf> {
  const { workflow } = sweep
  const left = afterLife(world, 'run', world.disk.afterCrash('kill'))
  const before = left.disk.visibleDigest()
  const refused = await liveOn(workflow, copyOf(left), { expects: changed(workflow.definition) })
  const objections = [
    ...(refused.refusal?.code === 'DEFINITION_CHANGED'
      ? []
      : ['The run was resumed under another definition than it goes by.']),
    ...(refused.world.disk.visibleDigest() === before
      ? []
      : ['A resume that was refused for its definition changed what is on disk.']),
  ]
  const ended = await toCompletion(workflow, copyOf(left))
  return { ...ended, objections }
}

function changed(definition: WorkflowDefinition): WorkflowDefinition {
  return { ...definition, version: `${definition.version}-changed` }
}
