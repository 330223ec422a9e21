import { createVirtualFiles } from '../../src/adapters/virtual/index.ts'
import type { AgentWorkflow } from '../../src/engine/index.ts'
import { createScheduler } from '../../src/harness/schedule/scheduler.ts'
import type { ScheduleTrace } from '../../src/harness/schedule/search.ts'
import type { Schedule } from '../../src/harness/schedule/strategy.ts'
import { liveOn } from '../../src/harness/sweep/swept-life.ts'
import { freshWorld } from '../../src/harness/sweep/swept-world.ts'
import type { Agents } from '../../src/ports/index.ts'
import { sweptWorkflow } from './swept-workflow.ts'

/** What a run under a schedule came to. */
export interface ScheduledEnd {
  readonly status: string
  readonly errors: readonly string[]
  /** Project files as text, without what the engine keeps. */
  readonly files: Readonly<Record<string, string>>
}

/** Runs a workflow from its beginning under any schedule; `renew` makes agents that share nothing with those of other runs. */
export function scheduledRuns(
  workflow: AgentWorkflow,
  renew: () => Agents,
): (schedule: Schedule) => Promise<{ readonly trace: ScheduleTrace; readonly result: ScheduledEnd }> {
  return async (schedule) => {
    const scheduler = createScheduler(schedule)
    const swept = await sweptWorkflow(workflow, renew())
    const { world } = await liveOn({ ...swept, realWaitMs: 2_000 }, freshWorld(createVirtualFiles({}), 0), {
      scheduler,
    })
    const files = [...world.disk.snapshotFiles()].filter(([path]) => !path.startsWith('.workflow/'))
    return {
      trace: { decisions: scheduler.decisions, order: scheduler.order },
      result: {
        status: world.ending.status,
        errors: world.errors.map(({ message }) => message),
        files: Object.fromEntries(files.map(([path, bytes]) => [path, new TextDecoder().decode(bytes)])),
      },
    }
  }
}
