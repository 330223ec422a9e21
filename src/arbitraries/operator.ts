import fc from 'fast-check'
import { isFaultlineError } from '../core/index.ts'
import type { ErrorCode } from '../core/index.ts'
import type { AgentWorkflow } from '../engine/index.ts'
import type { RunOutcome, WorkflowSession } from '../harness/index.ts'

/** One thing that whoever operates a run can do to it, at any time. */
export interface OperatorCommand {
  /** As it is shown when a property fails. */
  toString(): string
  /** Does it, and throws unless the session answers as it must. */
  operate(session: WorkflowSession, model: OperatorModel): Promise<void>
}

/** What is known of a run without looking at it. */
export interface OperatorModel {
  readonly workflow: AgentWorkflow
  standing: 'alive' | 'crashed' | 'failed' | 'completed' | 'cancelled'
  /** Completed steps, with how often each had run by then. */
  readonly done: Map<string, number>
  /** Digests of the files that were edited, by path. */
  readonly edited: Map<string, string>
  lives: number
}

/**
 * Sequences of what an operator can do to a run: go on by a step, to a step, to the end; crash, resume, cancel; edit a file, let
 * time pass; also where it makes no sense, and must be refused. For workflows without gates.
 *
 * @example
 * fc.asyncProperty(operatorCommands(workflow), async (commands) => operate(session, workflow, commands))
 */
export function operatorCommands(
  workflow: AgentWorkflow,
  options: { readonly maxCommands?: number } = {},
): fc.Arbitrary<readonly OperatorCommand[]> {
  const step = fc.constantFrom(...workflow.steps.map(({ id }) => id))
  return fc.array(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant(next) },
      { weight: 2, arbitrary: step.map((id) => runUntil(id)) },
      { weight: 1, arbitrary: step.map((id) => runBefore(id)) },
      { weight: 1, arbitrary: fc.constant(runToEnd) },
      { weight: 2, arbitrary: fc.constant(crash) },
      { weight: 4, arbitrary: fc.constant(resume) },
      { weight: 1, arbitrary: fc.constant(cancel) },
      { weight: 1, arbitrary: fc.constantFrom('a', 'b').map((text) => edit('notes.txt', text)) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 500 }).map((ms) => advance(ms)) },
    ),
    { minLength: 1, maxLength: options.maxCommands ?? 15 },
  )
}

/**
 * Carries out commands on a session that has just begun, and holds it against a small model: completed steps stay completed and never
 * run again, none runs before those that it depends on, what is refused changes nothing, edits are kept.
 *
 * @throws Error with the first command after which that is not so.
 */
export async function operate(
  session: WorkflowSession,
  workflow: AgentWorkflow,
  commands: readonly OperatorCommand[],
): Promise<OperatorModel> {
  const model: OperatorModel = {
    workflow,
    standing: 'alive',
    done: new Map(),
    edited: new Map(),
    lives: session.incarnation,
  }
  for (const [index, command] of commands.entries()) {
    try {
      await command.operate(session, model)
      await holdsAgainst(session, model)
    } catch (error) {
      const before = commands
        .slice(0, index + 1)
        .map(String)
        .join(', ')
      throw new Error(`After ${before}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      })
    }
  }
  return model
}

/** A moving call that has come to a stop or to the end of the run. */
interface Moved {
  readonly stoppedAt: string | undefined
  /** Steps that have completed on the way. */
  readonly done: readonly string[]
  readonly last: string | undefined
  readonly wasDone: (step: string) => boolean
}

function move(
  name: string,
  call: (session: WorkflowSession) => Promise<RunOutcome>,
  check: (moved: Moved) => boolean,
): OperatorCommand {
  return {
    toString: () => name,
    async operate(session, model) {
      if (model.standing !== 'alive') return refused(() => call(session), 'SESSION_MISUSE')
      const { status, step } = await call(session)
      const done = session.state().completedSteps.filter((each) => !model.done.has(each))
      if (status === 'failed') {
        model.standing = status
        return
      }
      const told = `it ${status}${step === undefined ? '' : ` at ${step}`}, and did ${done.join() || 'nothing'}`
      must(status === 'completed' || (status === 'stopped' && step !== undefined), told)
      if (status === 'completed') {
        model.standing = status
        must(done.length + model.done.size === model.workflow.steps.length, told)
      }
      const last = session.events().findLast(({ kind }) => kind === 'step_finish')
      const moved: Moved = {
        stoppedAt: step,
        done,
        last: last?.kind === 'step_finish' ? last.step : undefined,
        wasDone: (each) => model.done.has(each),
      }
      must(check(moved), told)
    },
  }
}

const next = move(
  'next()',
  (session) => session.next(),
  ({ stoppedAt, done }) => (stoppedAt === undefined ? done.length <= 1 : done.join() === stoppedAt),
)

const runToEnd = move(
  'runToEnd()',
  (session) => session.runToEnd(),
  ({ stoppedAt }) => stoppedAt === undefined,
)

function runUntil(id: string): OperatorCommand {
  return move(
    `runUntil('${id}')`,
    (session) => session.runUntil(id),
    ({ stoppedAt, done, last, wasDone }) =>
      stoppedAt === undefined ? wasDone(id) || last === id : stoppedAt === id && done.includes(id),
  )
}

function runBefore(id: string): OperatorCommand {
  return move(
    `runUntil({ before: '${id}' })`,
    (session) => session.runUntil({ before: id }),
    ({ stoppedAt, done, wasDone }) =>
      stoppedAt === undefined ? wasDone(id) : stoppedAt === id && !done.includes(id) && !wasDone(id),
  )
}

const crash: OperatorCommand = {
  toString: () => 'crash()',
  async operate(session, model) {
    if (model.standing !== 'alive') return refused(() => session.crash(), 'SESSION_MISUSE')
    const { status } = await session.crash()
    must(status === 'crashed', `it ended ${status}`)
    model.standing = 'crashed'
  },
}

const resume: OperatorCommand = {
  toString: () => 'resume()',
  async operate(session, model) {
    if (model.standing === 'alive') return refused(() => session.resume(), 'SESSION_MISUSE')
    model.lives++
    if (model.standing === 'completed' || model.standing === 'cancelled')
      return refused(() => session.resume(), 'RUN_NOT_RESUMABLE')
    const { status, step } = await session.resume()
    must(status === 'stopped', `it ended ${status}`)
    must(step === undefined || !model.done.has(step), `it starts ${step} again, which was completed`)
    model.standing = 'alive'
  },
}

const cancel: OperatorCommand = {
  toString: () => 'cancel()',
  async operate(session, model) {
    if (model.standing !== 'alive') return refused(() => session.cancel(), 'SESSION_MISUSE')
    const { status } = await session.cancel()
    must(status === 'cancelled', `it ended ${status}`)
    model.standing = 'cancelled'
  },
}

function edit(path: string, text: string): OperatorCommand {
  return {
    toString: () => `edit('${path}', '${text}')`,
    async operate(session, model) {
      if (model.standing !== 'alive') return refused(() => session.edit(path, text), 'SESSION_MISUSE')
      await session.edit(path, text)
      model.edited.set(path, digestOf(session, path) ?? 'nowhere')
    },
  }
}

function advance(ms: number): OperatorCommand {
  return { toString: () => `advance(${ms})`, operate: (session) => session.advance(ms) }
}

/** What is so after every command. */
async function holdsAgainst(session: WorkflowSession, model: OperatorModel): Promise<void> {
  const executions = await session.executions()
  const { completedSteps, status } = session.state()
  const timesOf = (id: string): number => executions.filter(({ step }) => step === id).length
  for (const [step, times] of model.done) {
    must(completedSteps.includes(step), `${step} is not completed any more`)
    must(timesOf(step) === times, `${step} ran again after it had completed`)
  }
  for (const step of completedSteps) {
    const { dependsOn = [] } = model.workflow.steps.find(({ id }) => id === step) ?? {}
    for (const before of [dependsOn].flat()) {
      must(completedSteps.includes(before), `${step} completed before ${before}, on which it depends`)
    }
    model.done.set(step, timesOf(step))
  }
  const shown = model.standing === 'alive' || model.standing === 'crashed' ? 'running' : model.standing
  must(status === shown, `the run is ${status} on disk, and not ${shown}`)
  must(session.incarnation === model.lives, `it is life ${session.incarnation}, and not ${model.lives}`)
  must(
    session.events().every(({ seq }, index) => seq === index),
    'events are missing, or out of order',
  )
  for (const [path, sha256] of model.edited)
    must(digestOf(session, path) === sha256, `the edit of ${path} is not kept`)
}

function digestOf(session: WorkflowSession, file: string): string | undefined {
  return session.state().artifacts.find(({ path }) => path === file)?.sha256
}

async function refused(call: () => Promise<unknown>, code: ErrorCode): Promise<void> {
  const error = await call().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  must(isFaultlineError(error, code), `it was not refused with ${code}: ${String(error)}`)
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise)
}
