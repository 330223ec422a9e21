import { FaultlineError } from '../../core/index.ts'
import { canonicalOutcome, compareRuns, determinism } from '../invariants/index.ts'
import type { CanonicalOutcome, FileTree, RunEnding } from '../invariants/index.ts'
import { evidenceAsLeft, evidenceOf } from './evidence-of.ts'
import { liveOn } from './swept-life.ts'
import type { Boundary, CallPoint, FaultPoint, SweptWorkflow } from './swept-life.ts'
import type { SweptWorld } from './swept-world.ts'

/** What a run without faults does and comes to. */
export interface Discovery {
  /** Every operation that changes the disk, in order. */
  readonly writes: readonly FaultPoint[]
  /** How many of them the disk itself has counted. */
  readonly countedWrites: number
  /** Every call of an agent or a gate, in order. */
  readonly calls: readonly DiscoveredCall[]
  /** How many calls the agents and the gates themselves have counted. */
  readonly countedCalls: CallCounts
  /** The places at which the run can be forked, in order. */
  readonly boundaries: readonly DiscoveredBoundary[]
  readonly reference: CanonicalOutcome
}

export interface DiscoveredBoundary extends Boundary {
  /** How many writes come before it. */
  readonly writesBefore: number
  /** What the run has come to there. */
  readonly reference: CanonicalOutcome
}

export interface DiscoveredCall extends CallPoint {
  /** How many writes come before it. */
  readonly writesBefore: number
}

export interface CallCounts {
  readonly agents: number
  readonly gates: number
}

/** Two runs without faults: what they come to is the reference, what they do are the points. */
export async function discover(
  workflow: SweptWorkflow,
  freshWorld: () => SweptWorld,
  initialFiles: FileTree,
): Promise<Discovery> {
  const once = async () => {
    const writes: FaultPoint[] = []
    const calls: DiscoveredCall[] = []
    const counted = { agents: 0, gates: 0 }
    const boundaries: (Boundary & { readonly writesBefore: number })[] = []
    const ended = await liveOn(counting(workflow, counted), freshWorld(), {
      onCall: (call) => calls.push({ ...call, writesBefore: writes.length }),
      onWrite: (point, world) => writes.push({ ...point, world: world() }),
      onBoundary: (boundary) => boundaries.push({ ...boundary, writesBefore: writes.length }),
    })
    const countedWrites = ended.world.disk.changesMade
    const evidence = await evidenceOf(workflow, ended, initialFiles)
    return { writes, countedWrites, calls, countedCalls: counted, boundaries, evidence }
  }
  const [first, second] = [await once(), await once()]
  const { ending } = first.evidence
  if (ending.status !== 'completed') throw notCompleted(workflow.definition.id, ending)
  const { violations } = await compareRuns([first.evidence, second.evidence], determinism)
  const names = (points: readonly FaultPoint[]): string => points.map(({ name }) => name).join('\n')
  if (violations.length > 0 || names(first.writes) !== names(second.writes)) {
    throw notDeterministic(
      workflow.definition.id,
      violations[0]?.sentence ?? firstDifference(first.writes, second.writes),
    )
  }
  const { evidence, ...discovered } = first
  const boundaries = await Promise.all(
    first.boundaries.map(async (boundary) => {
      const world: SweptWorld = { ...boundary.world, ending: { status: 'left' } }
      const left = {
        world,
        leftovers: nothingLeft,
        refusal: undefined,
        leftAt: boundary.name,
        wasStruck: false,
        objections: [],
      }
      const reference = await canonicalOutcome(evidenceAsLeft(workflow, left, initialFiles))
      return { ...boundary, reference }
    }),
  )
  return { ...discovered, boundaries, reference: await canonicalOutcome(evidence) }
}

/** The workflow with agents and gates that count how often they are called. */
function counting(workflow: SweptWorkflow, counts: { agents: number; gates: number }): SweptWorkflow {
  const { agents } = workflow
  return {
    ...workflow,
    agents: {
      ...agents,
      invoke(call) {
        counts.agents++
        return agents.invoke(call)
      },
    },
    onGate: () => counts.gates++,
  }
}

const nothingLeft = { openFiles: [], timers: [], calls: [] }

function notCompleted(workflowId: string, { status, error }: RunEnding): FaultlineError {
  return new FaultlineError(
    'SWEEP_IMPOSSIBLE',
    `Workflow '${workflowId}' does not complete without faults (it ended ${status}${error === undefined ? '' : `: ${error.message}`}), so there is ` +
      `nothing to compare faults with. Mend that first.`,
    { details: { workflowId, status } },
  )
}

function notDeterministic(workflowId: string, difference: string): FaultlineError {
  return new FaultlineError(
    'NOT_DETERMINISTIC',
    `Two runs of workflow '${workflowId}' without faults differ, so a sweep would compare by chance: ${difference} Look for Date, ` +
      `Math.random, real timers or state that a module keeps; agents have context.clock and context.random.`,
    { details: { workflowId } },
  )
}

function firstDifference(first: readonly FaultPoint[], second: readonly FaultPoint[]): string {
  const index = first.findIndex((point, place) => point.name !== second[place]?.name)
  const nameAt = (points: readonly FaultPoint[]): string =>
    points[index < 0 ? first.length : index]?.name ?? 'nothing'
  return `where the first did ${nameAt(first)}, the second did ${nameAt(second)}.`
}
