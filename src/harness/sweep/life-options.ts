import type { Fault, WorkflowDefinition } from '../../definition/index.ts'
import type { FileData, FileOperation, ForkedLife, RecoverRequest } from '../../ports/index.ts'
import type { FiredFaultRecord, Leftovers, SeenError } from '../invariants/index.ts'
import type { Scheduler } from '../schedule/scheduler.ts'
import type { DiskFault, GateMisuse } from './report.ts'
import type { SweptWorld } from './swept-world.ts'

/** One write-like file operation of a life. */
export interface WritePoint {
  readonly name: string
  readonly operation: FileOperation['op']
  /** What it writes, if it writes something. */
  readonly data?: FileData
  /** Whether the life was still taking the run over. */
  readonly during: 'run' | 'recovery'
}

/** One call of an agent or a gate, or one answer of the operator. */
export interface CallPoint {
  readonly name: string
  readonly step: string
  readonly operation: string
}

/** The same with the world as a crash just before it would leave it. */
export interface FaultPoint extends WritePoint {
  readonly world: SweptWorld
}

/** Where a life can be forked: everybody who was called has answered. */
export interface ForkPoint {
  /** The world as this life would leave it. */
  readonly world: SweptWorld
  readonly fork: ForkedLife
  /** How often each operation had come. */
  readonly occurrences: ReadonlyMap<string, number>
}

/** Where steps start: nobody is in flight, and all that the life has done is durable. */
export interface Boundary extends ForkPoint {
  /** The attempts that start now, without their numbers. */
  readonly name: string
  /** The same with their numbers: no other boundary has it. */
  readonly place: string
}

export interface LifeOptions {
  /** Goes on from there, in the same life; the world to live on is the one of there. */
  readonly from?: ForkPoint
  /** Shown every boundary at which the life can be forked. */
  readonly onBoundary?: (boundary: Boundary) => void
  /** Shown what can be forked before a tick: what agents have answered has not been taken yet. */
  readonly onAnswered?: (answered: ForkPoint) => void
  /**
   * Asked at the first of them after a step has finished undisturbed: whether what follows is known. The life is then let
   * go, and its run ends `left`.
   */
  readonly endsAt?: (name: string, world: SweptWorld) => boolean
  /** Asked when the run has been taken over: whether it goes on from here as another one has. It is then left as well. */
  readonly endsOnceRecovered?: (world: SweptWorld) => boolean
  /** Told of every write-like operation before it is done. */
  readonly onWrite?: (point: WritePoint, world: () => SweptWorld) => void
  /** Lets agents and gates go on one at a time. */
  readonly scheduler?: Scheduler
  /** What goes wrong at the operation of this name; with `sticky` at every later write-like one too. */
  readonly diskFault?: Pick<DiskFault, 'at' | 'fault' | 'sticky'>
  /** Told of every call of an agent or a gate before it is made. */
  readonly onCall?: (call: CallPoint) => void
  readonly portFault?: StrikingPortFault
  readonly interference?: Interference
  /** What the run is taken over with. Default: nothing is said. */
  readonly expects?: WorkflowDefinition
  /** What the operator gives the run that it waits for. */
  readonly given?: Given
}

/** A fault of a plan, and how it is to be judged. */
export interface StrikingPortFault {
  readonly at: string
  readonly fault: Fault | GateMisuse
  readonly step: string
  readonly record: Omit<FiredFaultRecord, 'key'>
}

/** What somebody does to the run at a boundary, once all of it is durable. */
export interface Interference {
  /** The attempts that start there, with their numbers. */
  readonly place: string
  readonly action: 'cancel' | 'resume-meanwhile'
}

/** A life that has come to its end, and the world that it has left. */
export interface EndedLifeOf {
  readonly world: SweptWorld
  readonly leftovers: Leftovers
  /** Why it would not take the run over, if so. */
  readonly refusal: SeenError | undefined
  /** The boundary at which it was left. */
  readonly leftAt: string | undefined
  /** Whether what was to go wrong did. */
  readonly wasStruck: boolean
  /** What was wrong with how it met an interference. */
  readonly objections: readonly string[]
  /** What the run waits for, and the operator has. */
  readonly asksFor: Given | undefined
}

/** What the operator gives to a run, or that he cancels it. */
export type Given = Pick<RecoverRequest, 'answers' | 'input' | 'cancel'>

/** When a life may be left before its end. */
export type Shortcuts = Pick<LifeOptions, 'endsAt' | 'endsOnceRecovered'>
