import type { VirtualFiles } from '../../adapters/virtual/index.ts'
import { stateFolder } from '../../engine/index.ts'
import type { WorldEffect } from '../contract.ts'
import type {
  AcknowledgedStep,
  EndedLife,
  Execution,
  FileTree,
  FiredFaultRecord,
  Leftovers,
  RunEnding,
  SeenError,
} from '../invariants/index.ts'

/** All that outlives an engine life: the disk, what happened outside, and what callers were told. */
export interface SweptWorld {
  readonly disk: VirtualFiles
  /** Undefined until a caller has been told the id of the run. */
  readonly runId: string | undefined
  /** What the clock shows. */
  readonly now: number
  readonly lives: readonly EndedLife[]
  readonly executions: readonly Execution[]
  /** Calls that took back what a step had done. */
  readonly undos: readonly Execution[]
  readonly effects: readonly WorldEffect[]
  readonly completedSteps: readonly AcknowledgedStep[]
  readonly faults: readonly FiredFaultRecord[]
  readonly errors: readonly SeenError[]
  readonly warnings: readonly string[]
  readonly ending: RunEnding
  /** What earlier lives that nobody killed had not let go of. */
  readonly leftBehind: Leftovers
}

export type ChangingWorld = { -readonly [Part in keyof SweptWorld]: SweptWorld[Part] }

/** A copy that may change. */
export function changing(world: SweptWorld): ChangingWorld {
  return new World(world)
}

/** All worlds are made alike: who reads them again and again need not tell them apart. */
class World implements ChangingWorld {
  disk: VirtualFiles
  runId: string | undefined
  now: number
  lives: readonly EndedLife[]
  executions: readonly Execution[]
  undos: readonly Execution[]
  effects: readonly WorldEffect[]
  completedSteps: readonly AcknowledgedStep[]
  faults: readonly FiredFaultRecord[]
  errors: readonly SeenError[]
  warnings: readonly string[]
  ending: RunEnding
  leftBehind: Leftovers

  constructor(world: SweptWorld) {
    this.disk = world.disk
    this.runId = world.runId
    this.now = world.now
    this.lives = world.lives
    this.executions = world.executions
    this.undos = world.undos
    this.effects = world.effects
    this.completedSteps = world.completedSteps
    this.faults = world.faults
    this.errors = world.errors
    this.warnings = world.warnings
    this.ending = world.ending
    this.leftBehind = world.leftBehind
  }
}

export const nothingLeft: Leftovers = { openFiles: [], timers: [], calls: [] }

export function freshWorld(disk: VirtualFiles, now: number): SweptWorld {
  return changing({
    disk,
    runId: undefined,
    now,
    lives: [],
    executions: [],
    undos: [],
    effects: [],
    completedSteps: [],
    faults: [],
    errors: [],
    warnings: [],
    ending: { status: 'unfinished' },
    leftBehind: nothingLeft,
  })
}

/** The same world with a disk of its own, to live on. */
export function copyOf(world: SweptWorld): ChangingWorld {
  return withDisk(world, world.disk.fork())
}

function withDisk(world: SweptWorld, disk: VirtualFiles): ChangingWorld {
  const copy = changing(world)
  copy.disk = disk
  return copy
}

/** Whether the same has happened outside, however often. */
export function haveSameEffects({ effects }: SweptWorld, other: SweptWorld): boolean {
  return (
    effects.length === other.effects.length &&
    effects.every(({ idempotencyKey, name }, place) => {
      const effect = other.effects[place]
      return effect?.idempotencyKey === idempotencyKey && effect.name === name
    })
  )
}

/** The world of a life that dies before anybody has heard what went wrong in it: it can only be survived. */
export function untold(world: SweptWorld): SweptWorld {
  const copy = changing(world)
  copy.faults = world.faults.map((fault) => ({ ...fault, class: 'survivable' }))
  return copy
}

/** The world as the next life finds it when this one ends now, with `found` as the disk. */
export function afterLife(
  world: SweptWorld,
  during: EndedLife['during'],
  found: VirtualFiles,
  refusal?: SeenError,
): ChangingWorld {
  const left = withDisk(world, found)
  // Nobody was told of a run whose start had not been acknowledged: the next life starts it anew.
  if (world.runId === undefined) return left
  const { status } = world.ending
  const told = {
    completedSteps: world.completedSteps,
    ...(status === 'completed' || status === 'failed' || status === 'cancelled' ? { status } : {}),
  }
  const life = new SweptLife(world, during, found.fork(), told, refusal)
  left.lives = [...world.lives, life]
  return left
}

/** What it left is read when somebody judges by it; the next life writes to the disk. */
class SweptLife implements EndedLife {
  readonly incarnation: number
  readonly during: EndedLife['during']
  readonly durableLog: Uint8Array
  readonly told: EndedLife['told']
  readonly refusal?: SeenError
  readonly #stood: VirtualFiles
  #files: FileTree | undefined

  constructor(
    { lives, disk, runId }: SweptWorld,
    during: EndedLife['during'],
    stood: VirtualFiles,
    told: EndedLife['told'],
    refusal: SeenError | undefined,
  ) {
    this.incarnation = lives.length + 1
    this.during = during
    this.durableLog = disk.durableBytes(`${stateFolder}/runs/${runId}/events.jsonl`) ?? new Uint8Array()
    this.told = told
    this.#stood = stood
    if (refusal !== undefined) this.refusal = refusal
  }

  get disk(): FileTree {
    return (this.#files ??= this.#stood.snapshotFiles())
  }
}
