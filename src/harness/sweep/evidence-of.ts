import { stateFolder } from '../../engine/index.ts'
import type { CanonicalOutcome, Evidence, FileTree, SecondResume } from '../invariants/index.ts'
import { afterEnding, allLeftovers, isOver } from './later-lives.ts'
import { liveOn } from './swept-life.ts'
import type { EndedLifeOf } from './life-options.ts'
import type { SweptWorkflow } from './swept-workflow.ts'
import { copyOf } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

/** All that there is to judge a run by that has been left, what a further resume does to it included if it is over. */
export async function evidenceOf(
  workflow: SweptWorkflow,
  ended: EndedLifeOf,
  initialFiles: FileTree,
  reference?: CanonicalOutcome,
): Promise<Evidence> {
  const secondResume =
    isOver(ended) && ended.leftAt === undefined ? await resumedOnceMore(workflow, ended) : undefined
  return evidenceAsLeft(workflow, ended, initialFiles, reference, secondResume)
}

/** The same without the further resume. */
export function evidenceAsLeft(
  workflow: SweptWorkflow,
  ended: EndedLifeOf,
  initialFiles: FileTree,
  reference?: CanonicalOutcome,
  secondResume?: SecondResume,
): Evidence {
  const { world, refusal } = ended
  return {
    runId: world.runId ?? '',
    digest: workflow.digest,
    clock: 'virtual',
    initialFiles,
    files: filesOf(world),
    earlierLives: refusal === undefined ? world.lives : withRefusal(world.lives, refusal),
    ending: world.ending,
    executions: world.executions,
    undos: world.undos,
    effects: world.effects,
    faults: world.faults,
    errors: world.errors,
    warnings: world.warnings,
    ...(reference === undefined ? {} : { reference }),
    ...(secondResume === undefined ? {} : { secondResume }),
    leftovers: allLeftovers(ended),
    unhandledRejections: [],
  }
}

async function resumedOnceMore(workflow: SweptWorkflow, ended: EndedLifeOf): Promise<SecondResume> {
  const { executions } = ended.world
  const again = await liveOn(workflow, copyOf(afterEnding(ended)))
  return { files: filesOf(again.world), executions: again.world.executions.slice(executions.length) }
}

/** Without other runs: one whose start no caller was told of may lie there, half begun. */
function filesOf({ disk, runId }: SweptWorld): FileTree {
  const runs = `${stateFolder}/runs/`
  const own = `${runs}${runId}/`
  return disk.snapshotFiles((path) => path.startsWith(own) || !path.startsWith(runs))
}

/** The run over which a life had died was refused to the next one. */
function withRefusal(
  lives: SweptWorld['lives'],
  refusal: NonNullable<EndedLifeOf['refusal']>,
): SweptWorld['lives'] {
  const last = lives.at(-1)
  return last === undefined ? lives : [...lives.slice(0, -1), { ...last, disk: last.disk, refusal }]
}
