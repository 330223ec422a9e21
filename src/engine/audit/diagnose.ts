import { formatDuration } from '../../core/index.ts'
import type { ReaderPorts } from '../../ports/index.ts'
import type { ObservedStatus } from '../../trace/index.ts'
import { foldLog } from '../run/fold-log.ts'
import { nextDue } from '../run/planner.ts'
import type { RunState } from '../run/run-state.ts'
import { runLayout } from '../store/layout.ts'
import type { StoreLayout } from '../store/layout.ts'
import { readHolder } from '../store/lock.ts'
import type { Holder } from '../store/lock.ts'
import { readStoredRun } from '../store/read-run.ts'
import type { SerialDisk } from '../store/serial-disk.ts'
import type { Finding } from './findings.ts'
import { validateRun } from './validate-run.ts'

/** How a run is, read from disk while it moves or after. */
export interface Diagnostics {
  readonly runId: string
  /** Null when its log cannot be read. */
  readonly standing: Standing | null
  readonly checks: readonly HealthCheck[]
}

export interface Standing {
  readonly status: ObservedStatus
  readonly steps: number
  readonly ended: number
  /** What is in hand, with the attempt. */
  readonly current: readonly string[]
  readonly failedAttempts: number
  readonly recoveries: number
  readonly sinceLastEventMs: number
}

export interface HealthCheck {
  readonly name: 'log' | 'state' | 'pointer' | 'artifacts' | 'owner' | 'pace'
  readonly healthy: boolean
  /** What was found; null where nothing is to be said. */
  readonly what: string | null
  readonly advice: string | null
}

/** What may lie between a limit and the event that tells of it, on a machine that is busy. */
const patienceMs = 5_000

/** @throws FaultlineError `RUN_NOT_FOUND` */
export async function diagnoseRun(
  runId: string,
  store: StoreLayout,
  disk: SerialDisk,
  { digest, owner }: ReaderPorts,
  now: number,
): Promise<Diagnostics> {
  const { findings } = await validateRun(runId, store, disk, digest)
  const layout = runLayout(store, runId)
  const problems = findings.filter(({ severity }) => severity === 'problem')
  const of = (name: HealthCheck['name'], files: (file: string) => boolean): HealthCheck =>
    checkOf(
      name,
      problems.filter(({ file }) => files(file)),
    )
  const log = of('log', (file) => file === layout.log)
  if (!log.healthy) return { runId, standing: null, checks: [log] }
  const state = await foldLog(await disk.run(readStoredRun(runId, store, digest)))
  const holder = await disk.run(readHolder(layout, owner))
  return {
    runId,
    standing: standingOf(state, holder, now),
    checks: [
      log,
      of('state', (file) => file === layout.state),
      of('pointer', (file) => file === store.last),
      of('artifacts', (file) => ![layout.state, store.last].includes(file)),
      ownerCheck(state, holder),
      paceCheck(state, holder, now),
    ],
  }
}

function checkOf(name: HealthCheck['name'], [first, ...more]: readonly Finding[]): HealthCheck {
  if (first === undefined) return { name, healthy: true, what: null, advice: null }
  const others = more.length === 0 ? '' : `, and ${more.length} more`
  return { name, healthy: false, what: `${first.file}: ${first.what}${others}`, advice: first.advice }
}

function isHeld({ state }: Holder): boolean {
  return state === 'alive' || state === 'elsewhere'
}

function standingOf(state: RunState, holder: Holder, now: number): Standing {
  const steps = [...state.steps]
  return {
    status: state.status === 'running' && !isHeld(holder) ? 'interrupted' : state.status,
    steps: steps.length,
    ended: steps.length - state.remaining,
    current: steps.flatMap(({ status, visit, attempt }, index) =>
      status === 'running' || status === 'retrying' || status === 'waiting' || status === 'paused'
        ? [`${state.workflow.steps[index]?.id}#${visit}@${attempt} (${status})`]
        : [],
    ),
    failedAttempts: steps.flatMap(({ attempts }) => attempts.filter(({ outcome }) => outcome === 'failed'))
      .length,
    recoveries: state.epoch - 1,
    sinceLastEventMs: Math.max(0, now - state.updatedAt),
  }
}

function ownerCheck({ runId, status }: RunState, holder: Holder): HealthCheck {
  const check = { name: 'owner', healthy: true, advice: null } as const
  if (status !== 'running') return { ...check, what: null }
  if (holder.state === 'alive') return { ...check, what: `process ${holder.owner.pid} holds it` }
  if (holder.state === 'elsewhere')
    return {
      ...check,
      what: `process ${holder.owner.pid} on ${holder.owner.host} holds it, which cannot be asked from here`,
    }
  const what =
    holder.state === 'dead' ? `process ${holder.owner.pid}, which held it, is gone` : 'no process holds it'
  return { ...check, healthy: false, what, advice: `Take it up with 'faultline resume ${runId}'.` }
}

/** Whether what time alone brings about has come about. */
function paceCheck(state: RunState, holder: Holder, now: number): HealthCheck {
  const check = { name: 'pace', healthy: true, what: null, advice: null } as const
  if (state.status !== 'running' || holder.state !== 'alive') return check
  const due = nextDue(state, state.updatedAt, new Set())
  if (due === undefined || now - due <= patienceMs) return check
  return {
    ...check,
    healthy: false,
    what: `a limit passed ${formatDuration(now - due)} ago, and nothing has come of it`,
    advice:
      'Its process is busy, stopped, or asks a gate that does not answer: look at it, and end it if need be.',
  }
}
