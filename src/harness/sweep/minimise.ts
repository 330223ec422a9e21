import { isFaultlineError } from '../../core/index.ts'
import { crashOutcomes } from '../../definition/index.ts'
import type { WorkflowDefinition } from '../../definition/index.ts'
import type { FaultSequence, Finding, MinimisedPlan, SingleFault } from './report.ts'

/** What minimising needs to be able to do. */
export interface Minimiser {
  readonly definition: WorkflowDefinition
  /** The invariants that a plan breaks; undefined for one that cannot be carried out. */
  readonly broken: (
    definition: WorkflowDefinition,
    faults: FaultSequence,
  ) => Promise<ReadonlySet<string> | undefined>
  /** The first plan of the same families that breaks one of the invariants in another workflow. */
  readonly search: (
    definition: WorkflowDefinition,
    like: FaultSequence,
    invariants: ReadonlySet<string>,
  ) => Promise<FaultSequence | undefined>
}

/**
 * Makes a plan as small as it can be while it still breaks one of the invariants that it was found by: fewer faults first, then
 * simpler ones, then fewer steps. What is left has been run twice more, and has broken the same both times.
 *
 * @returns undefined for a plan that cannot be run again, or does not do the same again.
 */
export async function minimise(
  { faults: found, violations }: Finding,
  { definition: whole, broken, search }: Minimiser,
): Promise<MinimisedPlan | undefined> {
  const invariants = new Set(violations.map(({ invariant }) => invariant))
  let runs = 0
  const brokenBy = async (
    definition: WorkflowDefinition,
    faults: FaultSequence,
  ): Promise<readonly string[]> => {
    runs++
    return [...((await broken(definition, faults)) ?? [])].filter((name) => invariants.has(name))
  }
  const shows = async (definition: WorkflowDefinition, faults: FaultSequence): Promise<boolean> =>
    (await brokenBy(definition, faults)).length > 0

  if (!(await shows(whole, found))) return undefined
  let faults = await fewest(found, (fewer) => shows(whole, fewer))
  const [first] = faults
  if (first !== undefined && faults.length > 1) {
    // What strikes a recovery is never left over alone: whether one fault elsewhere does it is another question.
    const single = await search(whole, [first], invariants)
    if (single !== undefined && (await shows(whole, single))) faults = single
  }
  faults = await simplest(faults, (simpler) => shows(whole, simpler))
  const inWhole = faults
  let definition = whole
  for (const { id } of whole.steps.toReversed()) {
    const smaller = withoutStep(definition, id)
    const plan = smaller && (await attempt(() => search(smaller, faults, invariants)))
    if (smaller === undefined || plan === undefined || !(await shows(smaller, plan))) continue
    definition = smaller
    faults = await simplest(plan, (simpler) => shows(smaller, simpler))
  }
  const [once, again] = [await brokenBy(definition, faults), await brokenBy(definition, faults)]
  if (once.length === 0 || once.join() !== again.join()) return undefined
  return { faults, inWhole, steps: definition.steps.map(({ id }) => id), invariants: once, runs }
}

/** A workflow without one of its steps need not run. */
async function attempt<T>(search: () => Promise<T>): Promise<T | undefined> {
  try {
    return await search()
  } catch (error) {
    if (isFaultlineError(error)) return undefined
    throw error
  }
}

/** Delta debugging: parts of a list that still show it, halves first, then ever smaller parts left out. */
async function fewest(
  faults: FaultSequence,
  shows: (faults: FaultSequence) => Promise<boolean>,
): Promise<FaultSequence> {
  let kept = faults
  for (let parts = 2; kept.length > 1 && parts <= kept.length;) {
    const size = Math.ceil(kept.length / parts)
    let smaller: FaultSequence | undefined
    for (let start = 0; start < kept.length && smaller === undefined; start += size) {
      const rest = [...kept.slice(0, start), ...kept.slice(start + size)]
      if (await shows(rest)) smaller = rest
    }
    if (smaller === undefined) parts *= 2
    else {
      kept = smaller
      parts = Math.max(2, parts - 1)
    }
  }
  return kept
}

/** Each fault as the simplest of its kind at its point that still shows it. */
async function simplest(
  faults: FaultSequence,
  shows: (faults: FaultSequence) => Promise<boolean>,
): Promise<FaultSequence> {
  let kept = faults
  for (let index = 0; index < kept.length; index++) {
    for (const simpler of simplerFaults(kept[index] as SingleFault)) {
      const candidate = kept.with(index, simpler)
      if (!(await shows(candidate))) continue
      kept = candidate
      break
    }
  }
  return kept
}

/** What is easier to explain, simplest first. */
function simplerFaults(fault: SingleFault): readonly SingleFault[] {
  if (fault.family === 'crash') {
    const place = crashOutcomes.findIndex((outcome) => outcome === fault.outcome)
    return crashOutcomes.slice(0, place < 0 ? undefined : place).map((outcome) => ({ ...fault, outcome }))
  }
  if (fault.family !== 'disk') return []
  const { powerLoss, ...rest } = fault
  const once = { ...rest, sticky: false }
  return [
    { ...once, fault: { mode: 'before', error: 'EIO' } as const },
    ...(powerLoss === undefined ? [] : [once]),
    ...(fault.sticky ? [{ ...fault, sticky: false }] : []),
  ].filter((simpler) => JSON.stringify(simpler) !== JSON.stringify(fault))
}

/** The definition without a step, or undefined when another one goes back to it. */
function withoutStep(definition: WorkflowDefinition, id: string): WorkflowDefinition | undefined {
  const steps = definition.steps.filter((step) => step.id !== id)
  if (steps.length === 0 || steps.some(({ gate }) => gate?.onFail === id)) return undefined
  return { ...definition, steps, edges: definition.edges.filter(({ from, to }) => from !== id && to !== id) }
}
