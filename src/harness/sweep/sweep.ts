import { cpuTimeMs, monotonicMs } from '../../adapters/node/index.ts'
import { assert, seededRandom } from '../../core/index.ts'
import { createVirtualFiles } from '../../adapters/virtual/index.ts'
import { builtInInvariants, determinism, judge } from '../invariants/index.ts'
import type { Invariant, Violation } from '../invariants/index.ts'
import type { CorpusPlan } from './corpus.ts'
import { Coverage } from './coverage.ts'
import { discover, likelySource } from './discovery.ts'
import type { Discovery, TracedForkPoint } from './discovery.ts'
import { evidenceOf } from './evidence-of.ts'
import { KnownRuns, worldKey } from './known-runs.ts'
import type { Run } from './known-runs.ts'
import { mergeSweepReports } from './merge-reports.ts'
import { AgentMemory } from './memoised-agents.ts'
import { isComparable, runWithFaults } from './replay.ts'
import { sweepReportVersion } from './report.ts'
import type {
  CorpusCoverage,
  FaultFamily,
  FaultSequence,
  Finding,
  SweepProgress,
  SweepReport,
  SweepShard,
  SweepTier,
} from './report.ts'
import { chosenPoints } from './smoke-tier.ts'
import { liveAttended } from './later-lives.ts'
import type { EndedLifeOf, LifeOptions } from './life-options.ts'
import type { SweptWorkflow } from './swept-workflow.ts'
import { copyOf, freshWorld } from './swept-world.ts'
import type { SweptWorld } from './swept-world.ts'

export interface SingleFaultOptions {
  /** Default all. */
  readonly families?: readonly FaultFamily[]
  /** Default `full`. */
  readonly tier?: SweepTier
  /** What a crash may leave. Default all but the subsets, which the tier `deep` tries too. */
  readonly outcomes?: 'corners' | 'subsets'
  /**
   * Whether the recovery from each crash is crashed in its turn, at each of its own points. Default: in the tier `deep`, and one of
   * each kind of recovery in the tier `full`.
   */
  readonly recoveryCrashes?: boolean
  /** Judged besides O0 to O20. */
  readonly invariants?: readonly Invariant[]
  /** Default: tries all. The report of a sweep that stopped counts what was tried until then. */
  readonly stopAt?: 'first-finding'
  /** Whether the plans of findings are made as small as they can be, one for each set of invariants that are broken. Default true. */
  readonly minimise?: boolean
  /** A folder of plans that have broken something before. They are run first, and what is found is added. */
  readonly corpus?: string
  /** Told now and then how far the sweep has come. */
  readonly onProgress?: (progress: SweepProgress) => void
  /** Tries the points of one share alone; the reports of all shares are put together by `mergeSweepReports`. */
  readonly shard?: SweepShard
  /**
   * Whether agents are not called again for what they have been told before: what they asked of their context is asked again in their
   * place, and their answer is given. One call in twenty is made all the same, and what an agent then does otherwise is found. For
   * agents that take their time; one that answers at once is called sooner than it is remembered, so the default is false.
   */
  readonly rememberAgents?: boolean
  /** What an earlier sweep that was stopped between two points has tried is not tried again, and stands in the report. */
  readonly continues?: SweepReport
  /** Asked after each point whether to stop there. */
  readonly afterPoint?: (soFar: () => SweepReport) => 'stop' | undefined
}

const startMs = 1_767_225_600_000
const slowestKept = 5
const progressEvery = 100

/** Everything that is tried of one family. */
export interface SweptFamily {
  readonly family: FaultFamily
  readonly tryAll: (sweep: Sweep) => Promise<void>
}

/** What the families share: what was discovered, what has been seen, and what becomes of a scenario. */
export class Sweep {
  /** With agents that are remembered, if they are to be. */
  readonly workflow: SweptWorkflow
  readonly options: SingleFaultOptions
  readonly #asGiven: SweptWorkflow
  readonly #memory: AgentMemory | undefined
  readonly #initialFiles: ReadonlyMap<string, Uint8Array>
  readonly #invariants: readonly Invariant[]
  readonly #coverage = new Coverage()
  readonly #findings: Finding[] = []
  readonly #postCrashStates = new Set<string>()
  readonly #recoveryPaths = new Set<string>()
  readonly #known: KnownRuns
  readonly #slowest: { readonly faults: FaultSequence; readonly ms: number }[] = []
  #discovery: Discovery | undefined
  #corpus: CorpusCoverage | undefined
  #family: FaultFamily = 'crash'
  #isStopped = false
  #begun = 0
  #points = 0
  #pointsDone = 0

  constructor(
    workflow: SweptWorkflow,
    initialFiles: Readonly<Record<string, Uint8Array>>,
    options: SingleFaultOptions,
  ) {
    const { digest, seed, agents } = workflow
    this.#asGiven = workflow
    if (options.rememberAgents === true) this.#memory = new AgentMemory({ agents, digest, seed })
    this.workflow = this.#memory === undefined ? workflow : { ...workflow, agents: this.#memory.port }
    this.options = options
    this.#initialFiles = new Map(Object.entries(initialFiles))
    this.#known = new KnownRuns(seededRandom(seed).fork('audits'), () => this.discovery.boundaries)
    this.#invariants = [...builtInInvariants, ...(options.invariants ?? [])]
  }

  get tier(): SweepTier {
    return this.options.tier ?? 'full'
  }

  get discovery(): Discovery {
    return this.#discovery as Discovery
  }

  get hasFoundEnough(): boolean {
    return this.#isStopped || (this.options.stopAt === 'first-finding' && this.#findings.length > 0)
  }

  /** Discovers what there is to break. */
  async discover(): Promise<void> {
    this.#memory?.learn(true)
    this.#discovery = await discover(this.workflow, () => this.freshWorld(), this.#initialFiles)
    this.#memory?.learn(false)
  }

  /** Runs the plans that have broken something before, then has each family of faults tried. */
  async run(
    families: readonly SweptFamily[],
    plans: readonly CorpusPlan[],
    atLast?: (sweep: Sweep) => Promise<void>,
  ): Promise<SweepReport> {
    this.#begun = cpuTimeMs()
    await this.discover()
    if (plans.length > 0) this.#corpus = await this.#runCorpus(plans)
    for (const { family, tryAll } of families) {
      if (this.hasFoundEnough) break
      this.#family = family
      await tryAll(this)
    }
    if (!this.hasFoundEnough) await atLast?.(this)
    const violations = await this.#inconstancies()
    if (violations.length > 0) this.#findings.push({ faults: [], violations })
    return this.#report(!this.hasFoundEnough)
  }

  #report(complete: boolean): SweepReport {
    const cpuMs = cpuTimeMs() - this.#begun
    const { continues, shard } = this.options
    const report: SweepReport = {
      version: sweepReportVersion,
      workflowId: this.workflow.definition.id,
      seed: this.workflow.seed,
      tier: this.tier,
      families: this.#coverage.families,
      findings: this.#findings,
      matrix: this.#coverage.matrix,
      postCrashStates: this.#postCrashStates.size,
      recoveryPaths: this.#recoveryPaths.size,
      ...(complete && shard === undefined && continues === undefined ? {} : { seen: this.#seenStates }),
      ...(this.#corpus === undefined ? {} : { corpus: this.#corpus }),
      complete,
      ...(shard === undefined ? {} : { shard }),
      shortcuts: this.#known.counts,
      ...(this.#memory === undefined ? {} : { agentCalls: this.#memory.calls }),
      timings: {
        cpuMs,
        scenariosPerSecond: this.#coverage.scenarios / (cpuMs / 1_000),
        slowest: this.#slowest,
      },
    }
    return continues === undefined ? report : mergeSweepReports([continues, report])
  }

  /** In few letters each, so that a report of a part stays small. */
  get #seenStates(): NonNullable<SweepReport['seen']> {
    const { digest } = this.workflow
    const short = (texts: Iterable<string>): readonly string[] =>
      Array.from(texts, (text) => digest.sha256(text).slice(0, 12)).sort()
    return {
      postCrashStates: short(this.#postCrashStates),
      recoveryPaths: short(this.#recoveryPaths),
    }
  }

  /** The points that the tier tries and this sweep is to try, of all that there are. */
  chosen<P extends { readonly name: string }>(points: readonly P[]): readonly P[] {
    const { shard, continues } = this.options
    const done = new Set(
      continues?.matrix.filter(({ family }) => family === this.#family).map(({ at }) => at),
    )
    return chosenPoints(this.tier, points).filter(
      ({ name }, place) => !done.has(name) && (shard === undefined || place % shard.of === shard.index - 1),
    )
  }

  /** What a run with these faults breaks; undefined when they do not strike. */
  async violationsOf(faults: FaultSequence): Promise<readonly Violation[] | undefined> {
    return (await this.runOf(faults))?.violations
  }

  /** The same with where it ended. Every agent is called. */
  async runOf(
    faults: FaultSequence,
  ): Promise<{ readonly ended: EndedLifeOf; readonly violations: readonly Violation[] } | undefined> {
    const ended = await runWithFaults(this.#asGiven, this.freshWorld(), faults)
    if (ended === undefined) return undefined
    return { ended, violations: await this.#judge(ended, isComparable(this.workflow, faults)) }
  }

  async #runCorpus(plans: readonly CorpusPlan[]): Promise<CorpusCoverage> {
    let failing = 0
    let obsolete = 0
    for (const { faults } of plans) {
      const violations = await this.violationsOf(faults)
      if (violations === undefined) obsolete++
      else if (violations.length > 0) {
        failing++
        this.#findings.push({ faults, violations })
      }
    }
    return { plans: plans.length, failing, obsolete }
  }

  /** Opens the count of a family. */
  begin(points: number, counted: number): void {
    this.#coverage.begin(this.#family, points, counted)
    this.#points = points
    this.#pointsDone = 0
  }

  /** One more point of the family has been dealt with. */
  pointDone(): void {
    this.#pointsDone++
    this.look()
  }

  /** Asks whether to stop here. */
  look(): void {
    if (this.options.afterPoint?.(() => this.#report(false)) === 'stop') this.#isStopped = true
  }

  /**
   * Runs one scenario and judges it.
   *
   * @param isComparable whether it has to come to what the run without faults comes to. It is then left where what follows is known.
   */
  async try(faults: FaultSequence, run: Run, isComparable = true): Promise<void> {
    const begun = monotonicMs()
    const seen = isComparable
      ? await this.#known.violationsOf(run, (ended) => this.#judge(ended, true))
      : await this.#judge(await run({}), false)
    const violations = [...(await this.#confirmed(faults, seen)), ...(await this.#inconstancies())]
    if (violations.length > 0) this.#findings.push({ faults, violations })
    this.#coverage.tried(faults, violations.length > 0 ? 'found' : 'survived')
    this.#time(faults, monotonicMs() - begun)
  }

  /** The same with a run that goes on from the world which the faults have left, if that is not known either. */
  async tryFrom(faults: FaultSequence, left: SweptWorld): Promise<void> {
    const digest = left.disk.visibleDigest()
    this.#postCrashStates.add(digest)
    await this.try(faults, this.#known.from(this.workflow, worldKey(left, digest), left))
  }

  /** What looks wrong in a run in which agents were remembered is looked for in one in which they are called. */
  async #confirmed(faults: FaultSequence, seen: readonly Violation[]): Promise<readonly Violation[]> {
    if (this.#memory === undefined || seen.length === 0) return seen
    return (await this.violationsOf(faults)) ?? seen
  }

  /** Agents that were told the same as before, and did otherwise. */
  async #inconstancies(): Promise<readonly Violation[]> {
    const deeds = this.#memory?.takeOtherDeeds() ?? []
    if (deeds.length === 0) return []
    const source = await likelySource(this.#asGiven, this.freshWorld())
    return deeds.map(({ agent, step, visit, attempt, did }) => ({
      invariant: determinism.name,
      sentence:
        `Agent '${agent}' of step '${step}' (visit ${visit}, attempt ${attempt}) was told the same as before, and ${did}. ` +
        `It is not deterministic, and called every time from here on. ${source}`,
    }))
  }

  async #judge(ended: EndedLifeOf, isComparable: boolean): Promise<readonly Violation[]> {
    const { leftAt } = ended
    const { reference } = leftAt === undefined ? this.discovery : (this.#known.boundary(leftAt) ?? {})
    const compared = isComparable ? reference : undefined
    const evidence = await evidenceOf(this.workflow, ended, this.#initialFiles, compared)
    const { violations } = await judge(evidence, this.#invariants)
    const objections = ended.objections.map((sentence) => ({ invariant: 'interference', sentence }))
    return [...violations, ...objections]
  }

  get cameBy(): KnownRuns['cameBy'] {
    return this.#known.cameBy
  }

  /** The first life as it would be without faults up to one of its writes: only the last stretch before it is run again. */
  async liveFrom(
    write: number,
    options: LifeOptions,
    among: readonly TracedForkPoint[] = this.discovery.forkPoints,
  ): Promise<EndedLifeOf> {
    const from = among.findLast(({ writesBefore }) => writesBefore <= write)
    const ended =
      from === undefined
        ? await liveAttended(this.workflow, this.freshWorld(), options)
        : await liveAttended(this.workflow, copyOf(from.world), { ...options, from })
    assert(ended.wasStruck, 'a run that is equal up to a point comes to that point', write)
    return ended
  }

  /** Counts a scenario that leads to a world which another one had led to before. */
  deduped(faults: FaultSequence): void {
    this.#coverage.tried(faults, 'deduped')
  }

  /**
   * Worlds with the same disk, in which callers were told and saw the same, go the same way from here.
   *
   * @param digest of the disk: as far as it can be read when no further crash is to come, otherwise also of what is durable.
   */
  isNew(world: SweptWorld, digest: string): boolean {
    this.#postCrashStates.add(digest)
    return this.#known.isFirst(worldKey(world, digest))
  }

  /** Notes by which operations a run was taken over. */
  recovered(path: string): void {
    this.#recoveryPaths.add(path)
  }

  freshWorld(): SweptWorld {
    return freshWorld(createVirtualFiles(Object.fromEntries(this.#initialFiles)), startMs)
  }

  #time(faults: FaultSequence, ms: number): void {
    if (ms > (this.#slowest[slowestKept - 1]?.ms ?? 0)) {
      this.#slowest.push({ faults, ms })
      this.#slowest.sort((left, right) => right.ms - left.ms)
      this.#slowest.length = Math.min(this.#slowest.length, slowestKept)
    }
    const { scenarios } = this.#coverage
    if (scenarios % progressEvery !== 0) return
    this.options.onProgress?.({
      family: this.#family,
      scenarios,
      pointsDone: this.#pointsDone,
      points: this.#points,
      findings: this.#findings.length,
    })
  }
}
