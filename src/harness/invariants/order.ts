import type { LoggedEvent, LoggedEventOf, LoggedSkip, LoggedStepEvent } from './event-shapes.ts'
import type { StepGraph } from './graph.ts'
import type { Invariant } from './invariant.ts'
import { LogWalk, LogWalks } from './log-walk.ts'
import { RollbackWalk } from './rollback.ts'
import { placeOf, tryKey, visitKey, tryOf } from './words.ts'

/** O6 */
export const order: Invariant = {
  name: 'O6',
  title:
    'steps start after all they depend on and are decided once, gates come before what they guard, nothing follows the end',
  needsSoundLog: true,
  check(run, verdict) {
    walks.through(run.events).tell(run, verdict)
  },
}

type Connection = NonNullable<ReturnType<StepGraph['into']['get']>>[number]

/** Conditions of steps that run though something before them has failed, or was skipped. */
const runsAfterFailure: ReadonlySet<unknown> = new Set(['on_failure', 'has_failures', 'always'])
/** Says something about an attempt and changes nothing. */
function isAside({ kind }: LoggedStepEvent): boolean {
  return (
    kind === 'late_result' ||
    kind === 'artifact_created' ||
    kind === 'timeout_warning' ||
    kind === 'step_pause'
  )
}

function isUndo({ kind }: LoggedStepEvent): boolean {
  return kind === 'undo_start' || kind === 'undo_finish' || kind === 'undo_fail'
}

/** Goes through the log with nothing in hand but the declared graph. */
class OrderWalk extends LogWalk {
  #completed = new Set<string>()
  /** Skipped, and why. */
  #skipped = new Map<string, LoggedSkip['reason']>()
  /** Failed, and whether that was tolerated. */
  #failed = new Map<string, boolean>()
  /** Attempts in flight by step. */
  #running = new Map<string, string>()
  /** Attempts whose gate has passed. */
  #passed = new Set<string>()
  /** Attempts whose gate a person has to answer. */
  #waiting = new Map<string, string>()
  /** The connections by which a step was reached, by step and visit. */
  #reached = new Map<string, { readonly step: string; readonly takes: readonly string[] }>()
  readonly #rollback: RollbackWalk
  #end: LoggedEventOf<'workflow_end'> | undefined
  #cancelled = false

  constructor(before?: OrderWalk) {
    super(before)
    this.#rollback = new RollbackWalk(this, before === undefined ? undefined : before.#rollback)
    if (before === undefined) return
    this.#completed = new Set(before.#completed)
    this.#skipped = new Map(before.#skipped)
    this.#failed = new Map(before.#failed)
    this.#running = new Map(before.#running)
    this.#passed = new Set(before.#passed)
    this.#waiting = new Map(before.#waiting)
    this.#reached = new Map(before.#reached)
    this.#end = before.#end
    this.#cancelled = before.#cancelled
  }

  follow(event: LoggedEvent): void {
    this.#afterEnd(event)
    this.#rollback.take(event)
    if (event.kind === 'workflow_resume') this.#resume(event)
    else if (event.kind === 'workflow_cancel') this.#cancelled = true
    else if (event.kind === 'workflow_end') this.#finishRun(event)
    else if (event.kind === 'step_skip') this.#skip(event)
    else if ('attempt' in event) this.#takeStep(event)
  }

  #afterEnd(event: LoggedEvent): void {
    const end = this.#end
    if (end === undefined) return
    const what = 'attempt' in event ? ` of step '${event.step}' ${tryOf(event)}` : ''
    if (end.status !== 'failed') {
      const sentence = `Event ${event.seq} (${event.kind}${what}) follows the end of the run: it had ${end.status === 'completed' ? 'completed' : 'been cancelled'} at event ${end.seq}.`
      this.broken(sentence, { seq: event.seq })
    } else if (event.kind === 'step_start' || event.kind === 'step_finish') {
      const sentence = `Step '${event.step}' went on ${tryOf(event)} at event ${event.seq} although the run had failed at event ${end.seq}.`
      this.broken(sentence, placeOf(event))
    }
  }

  #takeStep(event: LoggedStepEvent): void {
    const { step } = event
    const key = tryKey(event)
    if (this.definition !== undefined && this.stepDefinition(event) === undefined) {
      this.#broken(event, 'is no step of the workflow')
      return
    }
    if (isUndo(event) || this.#isOfUndo(event)) return
    const agent = this.stepDefinition(event)?.agent
    if (agent !== undefined && event.agent !== agent) {
      this.#broken(event, `went to agent '${event.agent}', and its definition names '${agent}'`)
    }
    if (isAside(event)) return
    if (event.kind === 'checkpoint') {
      this.#checkpoint(event)
      return
    }
    if (event.kind === 'step_start') {
      this.#start(event)
      return
    }
    if (this.#running.get(step) !== key && this.#waiting.get(step) !== key) {
      this.#broken(event, `went on with ${event.kind} without having started`)
      this.#running.set(step, key)
    }
    if (event.kind === 'gate_wait') this.#putToPerson(event)
    else if (event.kind === 'gate_result') this.#decideGate(event)
    else if (event.kind === 'step_finish') this.#finish(event)
    else if (event.kind !== 'artifacts_prepared' && event.kind !== 'process_start') this.#leave(step)
    if (event.kind === 'step_fail') this.#failed.set(step, event.tolerated === true)
  }

  /** A program of the agent that takes back what a completed step has done. */
  #isOfUndo(event: LoggedStepEvent): boolean {
    if (event.kind !== 'process_start' || !this.#completed.has(event.step)) return false
    return event.agent === this.stepDefinition(event)?.undo?.agent
  }

  #leave(step: string): void {
    this.#running.delete(step)
    this.#waiting.delete(step)
  }

  #putToPerson(event: LoggedEventOf<'gate_wait'>): void {
    const gate = this.stepDefinition(event)?.gate
    if (gate === undefined || gate.condition !== undefined)
      this.#broken(event, 'waits for a person, and its gate asks for none')
    this.#running.delete(event.step)
    this.#waiting.set(event.step, tryKey(event))
  }

  #checkpoint(event: LoggedEventOf<'checkpoint'>): void {
    const { step, name, throughSeq } = event
    if (event.because !== 'pause' && !this.#completed.has(step))
      this.#broken(event, 'has a checkpoint and had not completed')
    const expected = `${String(throughSeq).padStart(6, '0')}-${step}`
    if (name !== expected) this.#broken(event, `has a checkpoint '${name}' that should be '${expected}'`)
    if (throughSeq >= event.seq)
      this.#broken(event, `has a checkpoint of event ${throughSeq}, which is still to come`)
  }

  #start(event: LoggedEventOf<'step_start'>): void {
    const { step } = event
    if (this.#cancelled) this.#broken(event, 'started although the run had been cancelled')
    this.#judgeStart(event)
    this.#judgeWay(event)
    const other = this.#running.get(step) ?? this.#waiting.get(step)
    if (other !== undefined) this.#broken(event, `started while its attempt '${other}' was still running`)
    this.#running.set(step, tryKey(event))
    const most = this.definition?.limits.maxConcurrentSteps ?? Infinity
    if (this.#running.size > most) {
      this.#broken(event, `started as number ${this.#running.size} in flight, and the limit is ${most}`)
    }
  }

  /** What has led to a step is decided once, whatever else has come to an end by its next attempt. */
  #judgeWay(event: LoggedEventOf<'step_start'>): void {
    const { step, takes } = event
    if (takes === undefined) return
    const key = visitKey(event)
    const known = this.#reached.get(key)
    if (known !== undefined && known.takes.join() !== takes.join()) {
      const [from, now] = [known.takes, takes].map((ids) => ids.map((id) => `'${id}'`).join(', '))
      this.#broken(event, `started by way of ${now}, and its visit had been reached by way of ${from}`)
    }
    this.#reached.set(key, { step, takes })
  }

  /** Whether it was its turn: what a condition came to is not judged here, only whether there was one. */
  #judgeStart(event: LoggedEventOf<'step_start'>): void {
    const { step } = event
    const graph = this.graph
    const isFree = runsAfterFailure.has(this.stepDefinition(event)?.condition)
    const connections = graph.into.get(step) ?? []
    const isLedTo = connections.some((connection) => this.#leadsOn(connection))
    if (graph.joinsAny.has(step)) {
      const allEnded = connections.every(({ from }) => this.#hasEnded(from))
      if (!isLedTo && !(isFree && allEnded) && connections.length > 0)
        this.#broken(event, `started before anything had led to it`)
      return
    }
    let isInOrder = true
    for (const need of graph.before.get(step) ?? []) {
      const connection = connections.find(({ from }) => from === need)
      if (!this.#hasEnded(need)) {
        isInOrder = false
        this.#broken(event, `started before step '${need}', which it depends on, had completed`)
      } else if (!isFree && connection?.condition === undefined && this.#failed.get(need) === false) {
        this.#broken(event, `started although step '${need}', which it depends on, had failed`)
        isInOrder = false
      }
    }
    if (isInOrder && !isFree && !isLedTo && connections.length > 0)
      this.#broken(event, `started although nothing had led to it`)
  }

  #leadsOn({ from, condition, passesSkipped }: Connection): boolean {
    if (condition === 'always') return this.#hasEnded(from)
    if (condition === 'on_failure') return this.#failed.has(from)
    if (condition === undefined && passesSkipped === true && this.#skipped.has(from)) return true
    return this.#completed.has(from) || (condition === undefined && this.#failed.get(from) === true)
  }

  #hasEnded(step: string): boolean {
    return this.#completed.has(step) || this.#skipped.has(step) || this.#failed.has(step)
  }

  #skip(event: LoggedSkip): void {
    const { step, visit, seq, reason } = event
    const broken = (what: string): void =>
      this.broken(`Step '${step}' (visit ${visit}) ${what} (event ${seq}).`, { step, visit, seq })
    const definition = this.stepDefinition(event)
    if (definition === undefined) return broken('is no step of the workflow')
    if (this.#running.has(step)) broken('was skipped while it was running')
    if (this.#completed.has(step)) broken('was skipped after it had completed')
    for (const need of this.graph.before.get(step) ?? [])
      if (!this.#hasEnded(need)) broken(`was skipped before step '${need}', which it depends on, had ended`)
    if (reason === 'condition_false' && definition.condition === undefined)
      broken('was skipped by a condition that it does not have')
    if (reason === 'run_failed' && ![...this.#failed.values()].includes(false))
      broken('was skipped because of a failure that there is not')
    this.#skipped.set(step, reason)
  }

  #decideGate(event: LoggedEventOf<'gate_result'>): void {
    if (event.status === 'passed') this.#passed.add(tryKey(event))
    const { route } = event
    if ((event.status === 'passed') !== (route.to === 'pass')) {
      this.#broken(event, `has a gate that ${event.status} and goes to '${route.to}'`)
    }
    if (route.to !== 'loop') return
    this.#leave(event.step)
    this.#reopen(this.graph.loops.get(event.step) ?? [event.step])
  }

  #finish(event: LoggedEventOf<'step_finish'>): void {
    const { step } = event
    if (this.stepDefinition(event)?.gate !== undefined && !this.#passed.has(tryKey(event))) {
      this.#broken(event, 'completed although its gate had not passed')
    }
    this.#leave(step)
    this.#completed.add(step)
  }

  #resume(event: LoggedEventOf<'workflow_resume'>): void {
    this.#judgeRestarts(event)
    const failed = new Set(this.#failed.keys())
    if (this.#end?.status === 'failed') this.#end = undefined
    this.#running.clear()
    for (const [step, tolerated] of this.#failed) if (!tolerated) this.#failed.delete(step)
    const { adopts } = event
    if (adopts !== undefined) {
      const kept = new Set(adopts.definition.steps.map(({ id }) => id))
      this.#reopen([...this.#completed].filter((step) => !kept.has(step)))
      this.#skipped.clear()
    }
    this.#reopen(event.restarts)
    for (const step of event.restarts) this.#waiting.delete(step)
    if (event.reopensLoopOf !== undefined) {
      this.#reopen(this.graph.loops.get(event.reopensLoopOf) ?? [])
    }
    this.#forgetWays(event, failed)
  }

  /** Without a failure to take back, what was skipped or tolerated stays, unless something before it begins anew. */
  #judgeRestarts({ seq, restarts, adopts, reopensLoopOf }: LoggedEventOf<'workflow_resume'>): void {
    if (adopts !== undefined || reopensLoopOf !== undefined) return
    if ([...this.#failed.values()].includes(false)) return
    const anew = new Set(restarts)
    for (const step of restarts) {
      const ended = this.#skipped.has(step)
        ? 'been skipped'
        : this.#failed.has(step)
          ? 'failed, which was tolerated'
          : ''
      if (ended === '' || this.#comesAfter(step, anew)) continue
      const sentence = `Step '${step}' begins again with the resume at event ${seq}: it had ${ended}, and nothing before it begins again.`
      this.broken(sentence, { step, seq })
    }
  }

  #comesAfter(step: string, others: ReadonlySet<string>): boolean {
    const { before } = this.graph
    const seen = new Set(before.get(step))
    for (const each of seen) {
      if (others.has(each)) return true
      for (const earlier of before.get(each) ?? []) seen.add(earlier)
    }
    return false
  }

  /** A step is reached anew when what had led to it begins anew, or when it had failed and begins anew itself. */
  #forgetWays({ adopts, restarts }: LoggedEventOf<'workflow_resume'>, failed: ReadonlySet<string>): void {
    const { before, joinsAny } = this.graph
    for (const [key, { step, takes }] of this.#reached) {
      const isOpen = [...(before.get(step) ?? [])].some((need) => !this.#hasEnded(need))
      const isLost = takes.length > 0 && takes.every((id) => !this.#hasEnded(id))
      const isAgain = failed.has(step) && restarts.includes(step)
      if (adopts !== undefined || isAgain || isLost || (isOpen && !joinsAny.has(step)))
        this.#reached.delete(key)
    }
  }

  #reopen(steps: Iterable<string>): void {
    const open = [...steps]
    this.#rollback.reopen(open)
    for (const step of open) {
      this.#completed.delete(step)
      this.#skipped.delete(step)
      this.#failed.delete(step)
    }
  }

  #finishRun(event: LoggedEventOf<'workflow_end'>): void {
    this.#end = event
    if (event.status !== 'completed') return
    for (const { id } of this.definition?.steps ?? []) {
      if (this.#completed.has(id) || this.#skipped.has(id) || this.#failed.get(id) === true) continue
      const sentence = `Step '${id}' was lost: the run completed at event ${event.seq} without it.`
      this.broken(sentence, { step: id, seq: event.seq })
    }
  }

  #broken(event: LoggedStepEvent, what: string): void {
    const sentence = `Step '${event.step}' ${tryOf(event)} ${what} (event ${event.seq}).`
    this.broken(sentence, placeOf(event))
  }
}

const walks = new LogWalks(OrderWalk)
