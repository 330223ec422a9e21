import type { CrashOutcome, FaultKind, FileFault } from '../../definition/index.ts'
import type { SessionRecording } from '../../trace/index.ts'
import type { Violation } from '../invariants/index.ts'

/** Version of the report's JSON form. */
export const sweepReportVersion = 1

export const faultFamilies = [
  'agent',
  'gate',
  'time',
  'network',
  'crash',
  'disk',
  'lifecycle',
  'schedule',
] as const

export type FaultFamily = (typeof faultFamilies)[number]

/**
 * How much of each family is tried.
 * - `smoke`: the first and the last point of each class, with every fault of theirs.
 * - `full`: every point with every outcome of a crash, a crash in one recovery of each kind, every fault of agents, gates, time and
 *   lifecycle, and representative errors of the disk.
 * - `deep`: all errors in all modes, any subset of what was not synced, crashes in the recovery, pairs.
 */
export type SweepTier = (typeof sweepTiers)[number]

export const sweepTiers = ['smoke', 'full', 'deep'] as const

/** One thing that goes wrong at one fault point, as plain data. */
export type SingleFault = CrashFault | DiskFault | PortFault | LifecycleFault | ScheduleFault

interface FaultOfFamily<F extends FaultFamily> {
  readonly family: F
  /** Key of the point: `<incarnation>/<step>#<visit>@<attempt>:<port>.<operation>:<target>#<occurrence>`. */
  readonly at: string
}

export interface CrashFault extends FaultOfFamily<'crash'> {
  readonly outcome: CrashOutcome
}

export interface DiskFault extends FaultOfFamily<'disk'> {
  readonly fault: FileFault
  /** Whether every later operation fails too. */
  readonly sticky: boolean
  /** The power fails once the run has been resumed and has finished a step. */
  readonly powerLoss?: true
}

/**
 * A fault of a call through a port, as in a fault plan, or what people do with a gate.
 */
export interface PortFault extends FaultOfFamily<'agent' | 'gate' | 'time' | 'network'> {
  readonly fault: FaultKind | GateMisuse
  readonly params?: Readonly<Record<string, string | number>>
}

/**
 * No faults of a plan.
 * - `never-answers`: the gate waits for ever.
 * - `answers-twice`: a gate that a person has answered is answered once more by the same process.
 * - `answers-otherwise-later`: the process dies once the answer is in place, and the opposite is said when the next one asks.
 * - `answers-after-cancel`: the run is cancelled while it waits for a person, and is answered then.
 */
export type GateMisuse =
  'never-answers' | 'answers-twice' | 'answers-otherwise-later' | 'answers-after-cancel'

export interface LifecycleFault extends FaultOfFamily<'lifecycle'> {
  readonly action: 'cancel' | 'resume-meanwhile' | 'change-definition'
}

/** An agent stands still at a task until nobody else can go on. */
export interface ScheduleFault extends FaultOfFamily<'schedule'> {
  /** Key of the task that goes first instead. */
  readonly pick: string
  /** Only that one task goes first. */
  readonly once?: true
}

/** Faults that strike one after the other in one run; the keys of their points say in which of its lives. */
export type FaultSequence = readonly SingleFault[]

export interface Finding {
  /** As it was found. */
  readonly faults: FaultSequence
  readonly violations: readonly Violation[]
  /** The smallest plan that still breaks the same invariant, unless it was not asked for. */
  readonly minimised?: MinimisedPlan
}

/** What a run with the faults of a finding does: what it breaks, and all that a bundle tells of a run. */
export interface RecordedFinding {
  readonly violations: readonly Violation[]
  /** Undefined where no run can be read from what was left. */
  readonly recording: SessionRecording | undefined
}

/** A finding of a sweep in a project, and the way to see in full what it does. */
export interface SweptFinding {
  readonly finding: Finding
  readonly record: () => Promise<RecordedFinding | undefined>
}

export interface MinimisedPlan {
  readonly faults: FaultSequence
  /** What shows it in the workflow with all its steps, where other faults may be the smallest. */
  readonly inWhole: FaultSequence
  /** Steps that the workflow still needs to show it. */
  readonly steps: readonly string[]
  /** The invariants that it breaks, each time it is run. */
  readonly invariants: readonly string[]
  /** How many runs it took. */
  readonly runs: number
}

export interface FamilyCoverage {
  /** Fault points at which at least one fault was tried. */
  readonly hit: number
  readonly points: number
  /** The same as `points`, counted by the disk and by the ports themselves. */
  readonly counted: number
  /** Faults whose run was judged. */
  readonly scenarios: number
  /** Faults whose run was not, since all that they had done was to lead to a world which another one had led to before. */
  readonly deduped: number
}

/** One point with all that was tried there. */
export interface MatrixRow {
  readonly family: FaultFamily
  readonly at: string
  /** By the words for the fault (`faultWords`). */
  readonly cells: Readonly<Record<string, MatrixCell>>
}

/** `deduped`: it leads to a world that another fault had led to before. */
export type MatrixCell = 'survived' | 'deduped' | 'found'

export interface SweepReport {
  readonly version: typeof sweepReportVersion
  readonly workflowId: string
  readonly seed: number | string
  readonly tier: SweepTier
  readonly families: Readonly<Partial<Record<FaultFamily, FamilyCoverage>>>
  readonly findings: readonly Finding[]
  readonly matrix: readonly MatrixRow[]
  /** Different disks that a crash left. */
  readonly postCrashStates: number
  /** Different sequences of file operations by which a run was taken over. */
  readonly recoveryPaths: number
  /** What those two count, as long as the report is one of a part: in a report of several parts each is counted once. */
  readonly seen?: { readonly postCrashStates: readonly string[]; readonly recoveryPaths: readonly string[] }
  /** Plans that had broken something before. */
  readonly corpus?: CorpusCoverage
  /** Whether all was tried that there was to try, of its share if it is one. */
  readonly complete: boolean
  readonly shard?: SweepShard
  readonly shortcuts: Shortcuts
  /** Where agents are remembered (`rememberAgents`). */
  readonly agentCalls?: AgentCalls
  /** What differs between two equal sweeps. Left out of the JSON form (`sweepReportJson`). */
  readonly timings: SweepTimings
}

export interface CorpusCoverage {
  readonly plans: number
  /** They still break something. */
  readonly failing: number
  /** They name points to which the workflow does not come any more. */
  readonly obsolete: number
}

/** Which of how many shares of the points, from 1. */
export interface SweepShard {
  readonly index: number
  readonly of: number
}

/** Runs that were left once they had come to what the run without faults had come to. */
export interface Shortcuts {
  readonly rejoined: number
  /** Those of them that were run to their end all the same, to see that nothing is missed. */
  readonly audited: number
  /** False once an audit has found what the shortcut had missed: from then on every run is run to its end. */
  readonly trusted: boolean
}

/** How often steps needed their agents. */
export interface AgentCalls {
  /** They were called, the runs without faults included. */
  readonly made: number
  /** What they had done before was done in their place. */
  readonly remembered: number
  /** Those of the calls that were made although they were remembered, to see that nothing is missed. */
  readonly audited: number
}

export interface SweepTimings {
  readonly cpuMs: number
  readonly scenariosPerSecond: number
  readonly slowest: readonly { readonly faults: FaultSequence; readonly ms: number }[]
}

/** What a long sweep says of itself on the way. */
export interface SweepProgress {
  readonly family: FaultFamily
  readonly scenarios: number
  readonly pointsDone: number
  readonly points: number
  readonly findings: number
}

/** The report without what differs between two equal sweeps: byte for byte the same for the same seed. */
export function sweepReportJson(report: SweepReport): string {
  const { timings: _timings, ...rest } = report
  return `${JSON.stringify(rest, null, 2)}\n`
}

/** A fault in a few words, without its place. */
export function faultWords(fault: SingleFault): string {
  switch (fault.family) {
    case 'crash':
      return fault.outcome
    case 'disk': {
      const error = 'error' in fault.fault ? ` ${fault.fault.error}` : ''
      return `${fault.fault.mode}${error}${fault.sticky ? ', sticky' : ''}${fault.powerLoss === true ? ', then power loss' : ''}`
    }
    case 'lifecycle':
      return fault.action
    case 'schedule':
      return `${fault.pick} first`
    default:
      return [fault.fault, ...Object.values(fault.params ?? {})].join(' ')
  }
}

/** What struck a run, one after the other: `crash power-min at <key>, then ...`. */
export function faultsInWords(faults: FaultSequence): string {
  return faults.map((fault) => `${fault.family} ${faultWords(fault)} at ${fault.at}`).join(', then ')
}
