import type { LifecycleFault } from './report.ts'
import { resumeUnderAnother } from './resume-under-another.ts'
import type { Sweep } from './sweep.ts'
import { onward } from './later-lives.ts'

/** What people do to a run between two of its steps: they cancel it, resume it twice, or change its definition. */
export async function sweepLifecycle(sweep: Sweep): Promise<void> {
  const { workflow, discovery } = sweep
  const places = discovery.boundaries.map((boundary) => {
    return { ...boundary, name: `${boundary.world.lives.length + 1}/run:run.goOn:${boundary.place}#1` }
  })
  sweep.begin(places.length, discovery.countedBoundaries)
  for (const { name, place, writesBefore, world } of sweep.chosen(places)) {
    for (const action of ['cancel', 'resume-meanwhile'] as const) {
      if (sweep.hasFoundEnough) return
      const fault: LifecycleFault = { family: 'lifecycle', at: name, action }
      const interference = { place, action }
      await sweep.try(
        [fault],
        async (shortcuts) => {
          const ended = await sweep.liveFrom(
            writesBefore - 1,
            { ...shortcuts, interference },
            discovery.boundaries,
          )
          return onward(workflow, ended, shortcuts)
        },
        action !== 'cancel',
      )
    }
    if (sweep.hasFoundEnough) return
    const fault: LifecycleFault = { family: 'lifecycle', at: name, action: 'change-definition' }
    await sweep.try([fault], (shortcuts) => resumeUnderAnother(workflow, world, shortcuts))
    sweep.pointDone()
  }
}
