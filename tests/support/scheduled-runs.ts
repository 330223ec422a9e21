import { createDigest } from '../../src/adapters/node/index.ts'
import { createVirtualFiles } from '../../src/adapters/virtual/index.ts'
import { createReferenceDriver, defineWorkflow, loadWorkflow } from '../../src/engine/index.ts'
import type { AgentWorkflow } from '../../src/engine/index.ts'
import { createOutside } from '../../src/harness/outside.ts'
import { agentPort } from '../../src/harness/prepare-session.ts'
import { createScheduler } from '../../src/harness/schedule/scheduler.ts'
import type { ScheduleTrace } from '../../src/harness/schedule/search.ts'
import type { Schedule } from '../../src/harness/schedule/strategy.ts'
import { liveOn } from '../../src/harness/sweep/swept-life.ts'
import { freshWorld } from '../../src/harness/sweep/swept-world.ts'
import type { Agents } from '../../src/ports/index.ts'
import { KnownFiles } from '../../src/trace/index.ts'

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
    const { definition } = await loadWorkflow(defineWorkflow(workflow))
    const scheduler = createScheduler(schedule)
    const { world } = await liveOn(
      {
        definition,
        agents: agentPort(renew()),
        gates: {},
        input: null,
        seed: 1,
        driver: createReferenceDriver(),
        digest: createDigest(),
        realWaitMs: 2_000,
        outside: createOutside({}, undefined),
        knownFiles: new KnownFiles(),
      },
      freshWorld(createVirtualFiles({}), 0),
      { scheduler },
    )
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
