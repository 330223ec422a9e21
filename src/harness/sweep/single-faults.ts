import { createDigest } from '../../adapters/node/index.ts'
import { createVirtualFiles } from '../../adapters/virtual/index.ts'
import { FaultlineError } from '../../core/index.ts'
import { crashOutcomes } from '../../definition/index.ts'
import type { CrashOutcome, FileErrorCode, FileFault } from '../../definition/index.ts'
import { fileFaultOperations } from '../../fault-injection/index.ts'
import type { FileOperation } from '../../ports/index.ts'
import { stateFolder } from '../../engine/index.ts'
import { builtInInvariants, canonicalOutcome, compareRuns, determinism, judge } from '../invariants/index.ts'
import type {
  CanonicalOutcome,
  Evidence,
  FileTree,
  Invariant,
  RunEnding,
  Violation,
} from '../invariants/index.ts'
import { afterEnding, liveOn } from './swept-life.ts'
import type { EndedLifeOf, FaultPoint, SweptWorkflow } from './swept-life.ts'
import { afterLife, freshWorld } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

export type FaultFamily = 'crash' | 'disk'

/** One thing that goes wrong at one fault point, as plain data. */
export type SingleFault =
  | {
      readonly family: 'crash'
      readonly at: string
      readonly outcome: CrashOutcome
      readonly inRecovery?: SecondCrash
    }
  | {
      readonly family: 'disk'
      readonly at: string
      readonly fault: FileFault
      readonly sticky: boolean
      /** The power fails once the run has been resumed and is over. */
      readonly powerLoss?: true
    }

/** A crash in the recovery from a crash. */
export interface SecondCrash {
  readonly at: string
  readonly outcome: CrashOutcome
}

export interface Finding {
  readonly fault: SingleFault
  readonly violations: readonly Violation[]
}

export interface FamilyCoverage {
  /** Fault points at which at least one fault was tried. */
  readonly hit: number
  readonly points: number
  /** Faults that were tried. */
  readonly scenarios: number
  /** Faults that lead to a world which another one had led to before. */
  readonly deduped: number
}

export interface SweepReport {
  readonly workflowId: string
  readonly families: Readonly<Partial<Record<FaultFamily, FamilyCoverage>>>
  readonly findings: readonly Finding[]
}

export interface SingleFaultOptions {
  /** Default both. */
  readonly families?: readonly FaultFamily[]
  /** What a crash may leave. Default all but the subsets; `subsets` tries those too. */
  readonly outcomes?: 'corners' | 'subsets'
  /** Whether the recovery from each crash is crashed in its turn, at each of its own points. Default true. */
  readonly recoveryCrashes?: boolean
  /** Judged besides O0 to O20. */
  readonly invariants?: readonly Invariant[]
  /** Default: tries all. The report of a sweep that stopped counts what was tried until then. */
  readonly stopAt?: 'first-finding'
}

/** A fault has gone when the run is resumed; one life more for a run that failed because of it. */
const livesAllowed = 4
const startMs = 1_767_225_600_000

/**
 * Runs a workflow without faults, then once for every single fault of the families at every point where it can strike, and
 * judges each run by the invariants. The point of a crash is reached by forking the disk there, so only what follows is run.
 *
 * @throws FaultlineError `NOT_DETERMINISTIC` when two runs without faults differ.
 */
export async function tryEveryFault(
  workflow: SweptWorkflow,
  initialFiles: Readonly<Record<string, Uint8Array>>,
  options: SingleFaultOptions = {},
): Promise<SweepReport> {
  const sweep = new Sweep(workflow, initialFiles, options)
  return sweep.run()
}

class Sweep {
  readonly #workflow: SweptWorkflow
  readonly #initialFiles: Readonly<Record<string, Uint8Array>>
  readonly #options: SingleFaultOptions
  readonly #invariants: readonly Invariant[]
  readonly #findings: Finding[] = []
  readonly #seen = new Set<string>()

  constructor(
    workflow: SweptWorkflow,
    initialFiles: Readonly<Record<string, Uint8Array>>,
    options: SingleFaultOptions,
  ) {
    this.#workflow = workflow
    this.#initialFiles = initialFiles
    this.#options = options
    this.#invariants = [...builtInInvariants, ...(options.invariants ?? [])]
  }

  async run(): Promise<SweepReport> {
    const { points, reference } = await this.#discover()
    const families: Partial<Record<FaultFamily, FamilyCoverage>> = {}
    for (const family of this.#options.families ?? (['crash', 'disk'] as const)) {
      if (this.#hasFoundEnough) break
      families[family] =
        family === 'crash' ? await this.#crash(points, reference) : await this.#disk(points, reference)
    }
    return { workflowId: this.#workflow.definition.id, families, findings: this.#findings }
  }

  /** Two runs without faults: what they come to is the reference, what they do are the points. */
  async #discover(): Promise<{ points: readonly FaultPoint[]; reference: CanonicalOutcome }> {
    const once = async (): Promise<{ points: FaultPoint[]; evidence: Evidence }> => {
      const points: FaultPoint[] = []
      const ended = await liveOn(this.#workflow, this.#freshWorld(), {
        onPoint: (point) => points.push(point),
      })
      return { points, evidence: await this.#evidence(ended) }
    }
    const [first, second] = [await once(), await once()]
    const { ending } = first.evidence
    if (ending.status !== 'completed') throw notCompleted(this.#workflow.definition.id, ending)
    const { violations } = await compareRuns([first.evidence, second.evidence], determinism)
    const names = (points: readonly FaultPoint[]): string => points.map(({ name }) => name).join('\n')
    if (violations.length > 0 || names(first.points) !== names(second.points)) {
      throw notDeterministic(
        this.#workflow.definition.id,
        violations[0]?.sentence ?? firstDifference(first.points, second.points),
      )
    }
    return { points: first.points, reference: await canonicalOutcome(first.evidence) }
  }

  async #crash(points: readonly FaultPoint[], reference: CanonicalOutcome): Promise<FamilyCoverage> {
    const count = { hit: 0, points: points.length, scenarios: 0, deduped: 0 }
    for (const point of points) {
      let hit = false
      for (const { outcome, world } of this.#crashesAt(point)) {
        if (this.#hasFoundEnough) return count
        if (!hit) count.hit++
        hit = true
        if (!this.#isNew(world)) {
          count.deduped++
          continue
        }
        count.scenarios++
        const recovery: FaultPoint[] = []
        const onPoint = (met: FaultPoint): void => {
          if (met.during === 'recovery') recovery.push(met)
        }
        const fault = { family: 'crash', at: point.name, outcome } as const
        await this.#judge(fault, await this.#toCompletion(world, { onPoint }), reference)
        if (this.#options.recoveryCrashes === false) continue
        for (const second of recovery) {
          for (const { outcome: secondOutcome, world: again } of this.#crashesAt(second)) {
            if (this.#hasFoundEnough) return count
            if (!this.#isNew(again)) {
              count.deduped++
              continue
            }
            count.scenarios++
            const inRecovery = { at: second.name, outcome: secondOutcome }
            await this.#judge({ ...fault, inRecovery }, await this.#toCompletion(again), reference)
          }
        }
      }
    }
    return count
  }

  /** The different worlds that a crash just before a point can leave. */
  *#crashesAt({ world, during }: FaultPoint): Generator<{ outcome: CrashOutcome; world: SweptWorld }> {
    const among = this.#options.outcomes === 'subsets' ? undefined : crashOutcomes
    for (const outcome of world.disk.distinctOutcomes(among)) {
      yield { outcome, world: afterLife(world, during, world.disk.afterCrash(outcome)) }
    }
  }

  async #disk(points: readonly FaultPoint[], reference: CanonicalOutcome): Promise<FamilyCoverage> {
    const count = { hit: 0, points: points.length, scenarios: 0, deduped: 0 }
    for (const { name, operation } of points) {
      if (this.#hasFoundEnough) return count
      count.hit++
      for (const fault of faultsOf(operation as FileOperation['op'])) {
        for (const sticky of [false, true]) {
          if (this.#hasFoundEnough) return count
          count.scenarios++
          const planned = { at: name, with: fault, sticky }
          const struck = await liveOn(this.#workflow, this.#freshWorld(), { fault: planned })
          const ended = isOver(struck) ? struck : await this.#toCompletion(afterEnding(struck))
          await this.#judge({ family: 'disk', at: name, fault, sticky }, ended, reference)
          if (fault.mode !== 'dropped') continue
          // What an fsync dropped is read like any other byte until the power fails.
          count.scenarios++
          const found = ended.world.disk.afterCrash('power-min')
          const again = await this.#toCompletion(afterLife(ended.world, 'run', found))
          await this.#judge({ family: 'disk', at: name, fault, sticky, powerLoss: true }, again, reference)
        }
      }
    }
    return count
  }

  /** Lives on a world, one after the other, until the run is over. */
  async #toCompletion(world: SweptWorld, options: Parameters<typeof liveOn>[2] = {}): Promise<EndedLifeOf> {
    let ended = await liveOn(this.#workflow, world, options)
    for (let life = 1; !isOver(ended) && ended.refusal === undefined && life < livesAllowed; life++) {
      ended = await liveOn(this.#workflow, afterEnding(ended))
    }
    return ended
  }

  get #hasFoundEnough(): boolean {
    return this.#options.stopAt === 'first-finding' && this.#findings.length > 0
  }

  async #judge(fault: SingleFault, ended: EndedLifeOf, reference: CanonicalOutcome): Promise<void> {
    const { violations } = await judge(await this.#evidence(ended, reference), this.#invariants)
    if (violations.length > 0) this.#findings.push({ fault, violations })
  }

  async #evidence(ended: EndedLifeOf, reference?: CanonicalOutcome): Promise<Evidence> {
    const { world, leftovers, refusal } = ended
    const again = await liveOn(this.#workflow, { ...afterEnding(ended), disk: world.disk.fork() })
    const lives = refusal === undefined ? world.lives : withRefusal(world.lives, refusal)
    return {
      runId: world.runId ?? '',
      digest: createDigest(),
      clock: 'virtual',
      initialFiles: new Map(Object.entries(this.#initialFiles)),
      files: filesOf(world),
      earlierLives: lives,
      ending: world.ending,
      executions: world.executions,
      undos: world.undos,
      effects: world.effects,
      faults: world.faults,
      errors: world.errors,
      warnings: world.warnings,
      ...(reference === undefined ? {} : { reference }),
      leftovers,
      secondResume: {
        files: filesOf(again.world),
        executions: again.world.executions.slice(world.executions.length),
      },
      unhandledRejections: [],
    }
  }

  /** Worlds with the same disk, in which callers were told and saw the same, go the same way from here. */
  #isNew(world: SweptWorld): boolean {
    const { disk, runId, now, lives, executions, effects, completedSteps } = world
    const told = [runId, now, lives.length, executions.length, effects.length, completedSteps.length]
    const key = `${disk.digest()} ${told.join(' ')} ${lives.map(({ during }) => during).join()}`
    if (this.#seen.has(key)) return false
    this.#seen.add(key)
    return true
  }

  #freshWorld(): SweptWorld {
    return freshWorld(createVirtualFiles(this.#initialFiles), startMs)
  }
}

/** Without other runs: one whose start no caller was told of may lie there, half begun. */
function filesOf({ disk, runId }: SweptWorld): FileTree {
  const runs = `${stateFolder}/runs/`
  const files = [...disk.snapshotFiles()]
  return new Map(files.filter(([path]) => !path.startsWith(runs) || path.startsWith(`${runs}${runId}/`)))
}

function isOver({ world }: EndedLifeOf): boolean {
  return world.ending.status === 'completed' || world.ending.status === 'cancelled'
}

/** The run over which a life had died was refused to the next one. */
function withRefusal(
  lives: SweptWorld['lives'],
  refusal: NonNullable<EndedLifeOf['refusal']>,
): SweptWorld['lives'] {
  const last = lives.at(-1)
  return last === undefined ? lives : [...lives.slice(0, -1), { ...last, refusal }]
}

const errorCodes: readonly FileErrorCode[] = ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EMFILE']

function faultsOf(operation: FileOperation['op']): readonly FileFault[] {
  const fits = (mode: FileFault['mode']): boolean => fileFaultOperations[mode].includes(operation)
  return [
    ...errorCodes.map((error) => ({ mode: 'before', error }) as const),
    ...(fits('short') ? ([{ mode: 'short', error: 'ENOSPC' }] as const) : []),
    { mode: 'after', error: 'EIO' },
    ...(fits('dropped') ? ([{ mode: 'dropped', error: 'EIO' }] as const) : []),
  ]
}

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
