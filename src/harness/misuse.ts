import { FaultlineError, suggestion } from '../core/index.ts'
import type { WorkflowDefinition } from '../definition/index.ts'
import type { RunStatus } from '../trace/index.ts'

/** What decides whether a session may be asked for something. */
export interface SessionStanding {
  readonly runId: string
  /** As it was last read from disk; undefined before the run has begun. */
  readonly status: RunStatus | undefined
  readonly closed: boolean
  readonly moving: boolean
  readonly crashed: boolean
  /** Whether the present engine life has the run in hand; not so after a resume that was refused. */
  readonly held: boolean
}

export function misuse(message: string): FaultlineError {
  return new FaultlineError('SESSION_MISUSE', message)
}

/** @throws FaultlineError `SESSION_MISUSE` when the session is closed or in the middle of a call. */
export function assertUsable({ runId, closed, moving }: SessionStanding, what: string): void {
  if (closed) throw misuse(`The session of run '${runId}' is closed: it cannot ${what}.`)
  if (moving) {
    throw misuse(`The session of run '${runId}' is still moving: await the call before, then ${what}.`)
  }
}

/** @throws FaultlineError `SESSION_MISUSE` when there is no engine life that could do it, saying how to get one. */
export function assertAlive(standing: SessionStanding, what: string): void {
  assertUsable(standing, what)
  const { runId, status, crashed, held } = standing
  if (crashed) throw misuse(`Run '${runId}' has crashed: resume() it before it can ${what}.`)
  if (status === undefined || status === 'running') {
    if (held) return
    throw misuse(`The resume of run '${runId}' was refused: resume() it again before it can ${what}.`)
  }
  throw misuse(`Run '${runId}' ${standings[status]}`.replace('{what}', what))
}

const standings: Readonly<Record<Exclude<RunStatus, 'running'>, string>> = {
  paused: 'is paused for want of input: provideInput() before it can {what}.',
  waiting: 'waits for the answer to a gate: answerGate() before it can {what}.',
  completed: 'has completed: it cannot {what}.',
  failed: 'has failed: it cannot {what}. resume() it first.',
  cancelled: 'has been cancelled: it cannot {what}.',
}

/** @throws FaultlineError `UNKNOWN_STEP` with the nearest name. */
export function assertStep({ id, steps }: WorkflowDefinition, step: string): void {
  const known = steps.map((each) => each.id)
  if (known.includes(step)) return
  throw new FaultlineError(
    'UNKNOWN_STEP',
    `Workflow '${id}' has no step '${step}'. ${suggestion(step, known)}`,
    { details: { step } },
  )
}
