import type { StepDefinition } from '../../definition/index.ts'
import { flawsOfMentions } from './gate-conditions.ts'
import type { DataUse } from './data-uses.ts'
import type { Reporter } from './reporter.ts'
import { readStartCondition } from './start-condition.ts'
import type { ConditionSite } from './start-condition.ts'
import type { SourcePath } from './source-tree.ts'
import type { WorkflowShape } from './workflow-shape.ts'

export interface StartConditions {
  /** As the canonical form has them, by index of the step or connection. */
  readonly ofSteps: ReadonlyMap<number, string>
  readonly ofConnections: ReadonlyMap<number, string>
  readonly uses: readonly DataUse[]
}

/** Every condition of a step or connection can be read, and speaks of what there is by then. */
export async function readStartConditions(
  { connections = [] }: WorkflowShape,
  steps: readonly StepDefinition[],
  reporter: Reporter,
): Promise<StartConditions> {
  const byId = new Map(steps.map((step) => [step.id, step]))
  const ids: ReadonlySet<string> = new Set(byId.keys())
  const uses: DataUse[] = []
  const ofSteps = new Map<number, string>()
  const ofConnections = new Map<number, string>()
  const read = async (written: string, site: Site): Promise<string> => {
    const condition = await readStartCondition(written, site.kind, ids)
    if (!condition.ok) {
      reporter.add(site.place, condition.problem)
      return written
    }
    const { mentions } = condition
    if (mentions === undefined) return condition.text
    for (const flaw of flawsOfMentions(mentions, site.source, ids)) reporter.add(site.place, flaw)
    if (site.kind === 'step' && mentions.names.has('output'))
      reporter.add(
        site.place,
        `speaks of 'output', but the step has not run by then: write steps['<id>'].output`,
      )
    for (const of of mentions.steps)
      if (ids.has(of) && of !== site.source?.id) uses.push({ of, by: site.by, place: site.place })
    return condition.text
  }
  for (const [index, { id, condition }] of steps.entries()) {
    if (condition === undefined) continue
    const site: Site = { kind: 'step', by: id, source: undefined, place: ['steps', index, 'condition'] }
    ofSteps.set(index, await read(condition, site))
  }
  for (const [index, { source, condition }] of connections.entries()) {
    if (condition === undefined || !byId.has(source)) continue
    const place = ['connections', index, 'condition']
    ofConnections.set(
      index,
      await read(condition, { kind: 'connection', by: source, source: byId.get(source), place }),
    )
  }
  return { ofSteps, ofConnections, uses }
}

interface Site {
  readonly kind: ConditionSite
  readonly by: string
  /** The step whose output and scoring are meant. */
  readonly source: StepDefinition | undefined
  readonly place: SourcePath
}
