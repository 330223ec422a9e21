import { checkId, messageOf } from '../../core/index.ts'
import type { IdKind } from '../../core/index.ts'
import type { StepDefinition } from '../../definition/index.ts'
import { artifactName } from './created-files.ts'
import type { Reporter } from './reporter.ts'
import type { SourcePath } from './source-tree.ts'

/** Ids are well-formed, no two steps share one, and no two steps create the same path. */
export function checkNames(workflowId: string, steps: readonly StepDefinition[], reporter: Reporter): void {
  reportBadId('workflow id', workflowId, ['id'], reporter)
  const owners = new Map<string, number>()
  const creators = new Map<string, { readonly step: number; readonly position: number }>()
  for (const [index, step] of steps.entries()) {
    reportBadId('step id', step.id, ['steps', index, 'id'], reporter)
    const owner = owners.get(step.id)
    if (owner === undefined) owners.set(step.id, index)
    else {
      const first: SourcePath = ['steps', owner, 'id']
      reporter.add(
        ['steps', index, 'id'],
        `is '${step.id}', which steps[${owner}] has already${reporter.line(first)}. Step ids are unique`,
      )
    }
    for (const [position, path] of step.creates.entries()) {
      const creator = creators.get(artifactName(path))
      if (creator === undefined) creators.set(artifactName(path), { step: index, position })
      else if (creator.step !== index) {
        const where = reporter.line(['steps', creator.step, 'creates', creator.position])
        reporter.add(
          ['steps', index, 'creates', position],
          `is '${path}', which step '${steps[creator.step]?.id}' creates too${where}: the later file would replace the earlier ` +
            `without a word. Give each step a path of its own, or let one of them require what the other creates`,
        )
      }
    }
  }
}

function reportBadId(kind: IdKind, id: string, path: SourcePath, reporter: Reporter): void {
  try {
    checkId(kind, id)
  } catch (error) {
    reporter.add(path, `cannot be used. ${messageOf(error)}`)
  }
}
