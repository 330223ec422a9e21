import { suggestion } from '../../core/index.ts'
import type { StepDefinition } from '../../definition/index.ts'
import { parseCondition } from './condition.ts'
import type { ConditionMentions } from './condition-mentions.ts'
import type { Reporter } from './reporter.ts'

/** Every gate's condition is CEL, and speaks of steps and scores that there are. */
export async function checkGates(steps: readonly StepDefinition[], reporter: Reporter): Promise<void> {
  const ids = new Set(steps.map((step) => step.id))
  for (const [index, step] of steps.entries()) {
    if (step.gate?.condition === undefined) continue
    const parsed = await parseCondition(step.gate.condition)
    const flaws = parsed.ok ? flawsOfMentions(parsed.mentions, step, ids) : [parsed.problem]
    for (const flaw of flaws) reporter.add(['steps', index, 'gate', 'condition'], flaw)
  }
}

const scoringKeys = ['passed', 'scores']

/**
 * What would only come out when the condition is judged, perhaps hours into a run.
 *
 * @param step The step whose scoring is meant; undefined where there is none yet.
 */
export function flawsOfMentions(
  mentions: ConditionMentions,
  step: StepDefinition | undefined,
  ids: ReadonlySet<string>,
): readonly string[] {
  const flaws: string[] = []
  for (const id of mentions.steps) {
    if (!ids.has(id))
      flaws.push(`speaks of steps['${id}'], but there is no such step. ${suggestion(id, ids)}`)
  }
  if (mentions.names.has('scoring') && step === undefined)
    flaws.push(`speaks of 'scoring', but the step has not run by then: write steps['<id>'].scoring`)
  else if (mentions.names.has('scoring') && step?.scoring === undefined)
    flaws.push(`speaks of 'scoring', but step '${step?.id}' has no 'scoring' with thresholds`)
  for (const key of mentions.scoring) {
    if (!scoringKeys.includes(key))
      flaws.push(`speaks of 'scoring.${key}', but there is no such key. ${suggestion(key, scoringKeys)}`)
  }
  return flaws
}
