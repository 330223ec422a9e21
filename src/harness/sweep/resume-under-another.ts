import type { WorkflowDefinition } from '../../definition/index.ts'
import { toCompletion } from './later-lives.ts'
import { liveOn } from './swept-life.ts'
import type { EndedLifeOf, Shortcuts } from './life-options.ts'
import type { SweptWorkflow } from './swept-workflow.ts'
import { afterLife, copyOf } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

/** Who resumes under another definition than the run goes by is refused, and has changed nothing. */
export async function resumeUnderAnother(
  workflow: SweptWorkflow,
  world: SweptWorld,
  shortcuts?: Shortcuts,
): Promise<EndedLifeOf> {
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
  const ended = await toCompletion(workflow, copyOf(left), shortcuts)
  return { ...ended, objections }
}

function changed(definition: WorkflowDefinition): WorkflowDefinition {
  return { ...definition, version: `${definition.version}-changed` }
}
