import { watchAmbient, watchFolder } from '../../adapters/node/index.ts'
import type { AmbientUse, FolderWatch } from '../../adapters/node/index.ts'
import { decodeUtf8, FaultlineError } from '../../core/index.ts'
import { stateFolder } from '../../engine/index.ts'
import type { FileData, Incarnation } from '../../ports/index.ts'
import { canonicalOutcome, compareRuns, determinism } from '../invariants/index.ts'
import type { CanonicalOutcome, FileTree, RunEnding } from '../invariants/index.ts'
import { evidenceAsLeft, evidenceOf } from './evidence-of.ts'
import { liveAttended } from './later-lives.ts'
import type { Boundary, CallPoint, EndedLifeOf, FaultPoint, ForkPoint, WritePoint } from './life-options.ts'
import type { SweptWorkflow } from './swept-workflow.ts'
import { copyOf, nothingLeft } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

/** What a run does. */
export interface Trace {
  /** Every operation that changes the disk, in order. */
  readonly writes: readonly FaultPoint[]
  /** Every call of an agent or a gate, in order. */
  readonly calls: readonly DiscoveredCall[]
  /** Where the run can be forked, in order. */
  readonly forkPoints: readonly TracedForkPoint[]
  /** Those of them at which steps start. */
  readonly boundaries: readonly TracedBoundary[]
}

/** What a run without faults does and comes to. */
export interface Discovery extends Trace {
  /** How many writes the disk itself has counted. */
  readonly countedWrites: number
  /** How many calls the agents and the gates themselves have counted. */
  readonly countedCalls: CallCounts
  readonly boundaries: readonly DiscoveredBoundary[]
  /** How many of these the engine itself has given. */
  readonly countedBoundaries: number
  readonly reference: CanonicalOutcome
}

export interface TracedForkPoint extends ForkPoint {
  /** How many writes come before it. */
  readonly writesBefore: number
}

export interface TracedBoundary extends Boundary, TracedForkPoint {}

export interface DiscoveredBoundary extends TracedBoundary {
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
  readonly requests: number
}

/** Runs a workflow to its end, and notes all that it does on the way. */
export async function trace(
  workflow: SweptWorkflow,
  world: SweptWorld,
): Promise<Trace & { readonly ended: EndedLifeOf }> {
  const writes: FaultPoint[] = []
  const calls: DiscoveredCall[] = []
  const forkPoints: TracedForkPoint[] = []
  const boundaries: TracedBoundary[] = []
  const ended = await liveAttended(workflow, world, {
    onCall: (call) => calls.push({ ...call, writesBefore: writes.length }),
    onWrite: (point, there) => writes.push({ ...point, world: there() }),
    onBoundary(boundary) {
      const traced = { ...boundary, writesBefore: writes.length }
      boundaries.push(traced)
      forkPoints.push(traced)
    },
    onAnswered: (answered) => forkPoints.push({ ...answered, writesBefore: writes.length }),
  })
  return { writes, calls, forkPoints, boundaries, ended }
}

/** Two runs without faults: what they come to is the reference, what they do are the points. */
export async function discover(
  workflow: SweptWorkflow,
  freshWorld: () => SweptWorld,
  initialFiles: FileTree,
): Promise<Discovery> {
  const once = async (watch?: FolderWatch) => {
    const counted = { agents: 0, gates: 0, requests: 0, forks: 0 }
    const intrusions: Intrusion[] = []
    const watched = guarded(counting(workflow, counted), watch, intrusions)
    const { ended, ...traced } = await trace(watched, freshWorld())
    const [intrusion] = intrusions
    if (intrusion !== undefined) throw notSimulated(workflow.definition.id, intrusion)
    const countedWrites = ended.world.disk.changesMade
    const evidence = await evidenceOf(workflow, ended, initialFiles)
    const countedBoundaries = counted.forks - (traced.forkPoints.length - traced.boundaries.length)
    return { ...traced, countedWrites, countedCalls: counted, countedBoundaries, evidence }
  }
  const watch = workflow.folder === undefined ? undefined : watchFolder(workflow.folder, notWatched)
  const [first, second] = [await once(watch), await once()]
  const { ending } = first.evidence
  if (ending.status !== 'completed') throw notCompleted(workflow.definition.id, ending)
  const { violations } = await compareRuns([first.evidence, second.evidence], determinism)
  const differing = firstDifference(first.writes, second.writes)
  if (violations.length > 0 || differing !== undefined) {
    const sentences = [differing, violations[0]?.sentence].filter((sentence) => sentence !== undefined)
    throw notDeterministic(workflow.definition.id, sentences, await ambientUses(workflow, freshWorld()))
  }
  const { evidence, ...discovered } = first
  const boundaries = await Promise.all(
    first.boundaries.map(async (boundary) => {
      const world = copyOf(boundary.world)
      world.ending = { status: 'left' }
      const left = {
        world,
        leftovers: nothingLeft,
        refusal: undefined,
        leftAt: boundary.name,
        wasStruck: false,
        objections: [],
        asksFor: undefined,
      }
      const reference = await canonicalOutcome(evidenceAsLeft(workflow, left, initialFiles))
      return { ...boundary, reference }
    }),
  )
  return { ...discovered, boundaries, reference: await canonicalOutcome(evidence) }
}

/** What is no part of a project, or what its runs keep there. */
const notWatched: ReadonlySet<string> = new Set(['node_modules', '.git', stateFolder])

interface Intrusion {
  readonly step: string
  readonly agent: string
  readonly path: string
}

/** The workflow with agents whose writing to the project behind the simulated disk is noticed. */
function guarded(
  workflow: SweptWorkflow,
  watch: FolderWatch | undefined,
  intrusions: Intrusion[],
): SweptWorkflow {
  const { agents } = workflow
  if (watch === undefined) return workflow
  return {
    ...workflow,
    agents: {
      ...agents,
      async invoke(call) {
        try {
          return await agents.invoke(call)
        } finally {
          const { step, agent } = call.context
          for (const path of watch.changes()) intrusions.push({ step, agent, path })
        }
      },
    },
  }
}

function notSimulated(workflowId: string, { step, agent, path }: Intrusion): FaultlineError {
  return new FaultlineError(
    'SWEEP_IMPOSSIBLE',
    `While agent '${agent}' of step '${step}' worked, '${path}' was written in the project's folder. A sweep runs workflow '${workflowId}' ` +
      `on a simulated disk, which alone it can break and undo: write with context.artifacts.`,
    { details: { workflowId, step, agent, path } },
  )
}

/** The workflow with agents, gates, services and an engine that count how often they are called. */
function counting(
  workflow: SweptWorkflow,
  counts: { agents: number; gates: number; requests: number; forks: number },
): SweptWorkflow {
  const { agents, outside, driver } = workflow
  return {
    ...workflow,
    driver: {
      ...driver,
      incarnate: (ports) => {
        const life = driver.incarnate(ports)
        const [recover, fork] = [life.recover.bind(life), life.fork?.bind(life)]
        const counted: Pick<Incarnation, 'recover' | 'fork'> = {
          recover(request) {
            counts.gates += Object.keys(request.answers ?? {}).length
            return recover(request)
          },
        }
        if (fork !== undefined) {
          counted.fork = () => {
            const forked = fork()
            if (forked !== undefined) counts.forks++
            return forked
          }
        }
        return Object.assign(life, counted)
      },
    },
    agents: {
      ...agents,
      invoke(call) {
        counts.agents++
        return agents.invoke(call)
      },
    },
    onGate: () => counts.gates++,
    outside: {
      ...outside,
      http: {
        request(call) {
          counts.requests++
          return outside.http.request(call)
        },
      },
    },
  }
}

/** What helps a run that waits. */
const standstills: Readonly<Record<string, string>> = {
  waiting: `Say how people answer its gates: operator: { answers: { <step>: true } }, on the command line --pass <step>.`,
  paused: `Say what it is given: operator: { input: { ... } }, on the command line --provide <input>.`,
}

function notCompleted(workflowId: string, { status, error }: RunEnding): FaultlineError {
  return new FaultlineError(
    'SWEEP_IMPOSSIBLE',
    `Workflow '${workflowId}' does not complete without faults (it ended ${status}${error === undefined ? '' : `: ${error.message}`}), so there is ` +
      `nothing to compare faults with. ${standstills[status] ?? 'Mend that first.'}`,
    { details: { workflowId, status } },
  )
}

/** What agents take from the machine itself, found out by watching them once more. */
async function ambientUses(workflow: SweptWorkflow, world: SweptWorld): Promise<readonly AmbientUse[]> {
  const { agents } = workflow
  const ambient = watchAmbient()
  const watched: SweptWorkflow['agents'] = {
    ...agents,
    invoke: (call) => ambient.watch(call.context.step, () => agents.invoke(call)),
  }
  try {
    await liveAttended({ ...workflow, agents: watched }, world)
    return ambient.uses
  } finally {
    ambient.stop()
  }
}

/** Where it likely comes from that an agent which is told the same does otherwise; it is called once more to see. */
export async function likelySource(workflow: SweptWorkflow, world: SweptWorld): Promise<string> {
  return likelySourceOf(await ambientUses(workflow, world))
}

function likelySourceOf(sources: readonly AmbientUse[]): string {
  const used = sources.map(({ who, what }) => `the agent of step '${who}' uses ${what}`)
  const likely =
    used.length === 0
      ? `No agent uses Date, Math.random, crypto or timers, so the likely source is state that a module keeps from one run to the next.`
      : `Likely source: ${used.join('; ')}.`
  return `${likely} Agents have context.clock and context.random.`
}

function notDeterministic(
  workflowId: string,
  differences: readonly string[],
  sources: readonly AmbientUse[],
): FaultlineError {
  return new FaultlineError(
    'NOT_DETERMINISTIC',
    `Two runs of workflow '${workflowId}' without faults differ, so a sweep would compare by chance: ${differences.join(' ')} ` +
      likelySourceOf(sources),
    { details: { workflowId, sources: sources.map(({ who, what }) => ({ step: who, uses: what })) } },
  )
}

/** The first effect on the disk that only one of the two runs has. */
function firstDifference(first: readonly WritePoint[], second: readonly WritePoint[]): string | undefined {
  const length = Math.max(first.length, second.length)
  for (let index = 0; index < length; index++) {
    const [one, other] = [first[index], second[index]]
    if (one?.name !== other?.name) {
      return `Where the first did ${one?.name ?? 'nothing'}, the second did ${other?.name ?? 'nothing'}.`
    }
    const [was, is] = [shownData(one?.data), shownData(other?.data)]
    if (was !== is) {
      return `The first effect that differs is ${one?.name}, which wrote ${excerpt(was)}, and then ${excerpt(is)}.`
    }
  }
  return undefined
}

function shownData(data: FileData | undefined): string {
  return typeof data === 'string' ? data : decodeUtf8(data ?? new Uint8Array())
}

const mostExcerptCharacters = 60

function excerpt(text: string): string {
  return JSON.stringify(
    text.length <= mostExcerptCharacters ? text : `${text.slice(0, mostExcerptCharacters)}...`,
  )
}
