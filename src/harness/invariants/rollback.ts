import type { LoggedEvent, LoggedEventOf } from './event-shapes.ts'
import type { LogWalk } from './log-walk.ts'
import { placeOf, visitKey } from './words.ts'

type UndoEvent = LoggedEventOf<'undo_start'> | LoggedEventOf<'undo_finish'> | LoggedEventOf<'undo_fail'>

/** Of O6: a rollback undoes what has completed, each once, the last one first, and forgets none. */
export class RollbackWalk {
  readonly #walk: LogWalk
  /** Completed steps that say how to undo them, in the order in which they completed. */
  #due: readonly LoggedEventOf<'step_finish'>[] = []
  /** Visits whose undoing is over. */
  #over = new Set<string>()
  #hasFailed = false

  constructor(walk: LogWalk, before?: RollbackWalk) {
    this.#walk = walk
    if (before === undefined) return
    this.#due = before.#due
    this.#over = new Set(before.#over)
    this.#hasFailed = before.#hasFailed
  }

  take(event: LoggedEvent): void {
    switch (event.kind) {
      case 'step_finish':
        if (this.#walk.stepDefinition(event)?.undo !== undefined) this.#due = [...this.#due, event]
        return
      case 'step_fail':
        this.#hasFailed = true
        return
      case 'undo_start':
      case 'undo_finish':
      case 'undo_fail':
        return this.#undo(event)
      case 'workflow_end':
        return this.#end(event)
      default:
    }
  }

  /** Steps that a resume or a loop has made open again. */
  reopen(steps: Iterable<string>): void {
    const open = new Set(steps)
    this.#due = this.#due.filter(({ step }) => !open.has(step))
  }

  #undo(event: UndoEvent): void {
    const undo = this.#walk.stepDefinition(event)?.undo
    if (undo === undefined) return this.#broken(event, 'was undone, and does not say how')
    if (event.agent !== undo.agent)
      this.#broken(event, `was undone by agent '${event.agent}', and its definition names '${undo.agent}'`)
    if (this.#over.has(visitKey(event))) return this.#broken(event, 'was undone twice')
    if (!this.#hasFailed) this.#broken(event, 'was undone although nothing had failed')
    const last = this.#due.at(-1)
    if (last?.step !== event.step)
      this.#broken(event, `was undone before step '${last?.step ?? 'none'}', which completed after it`)
    if (event.kind === 'undo_start') return
    this.#over.add(visitKey(event))
    this.#due = this.#due.filter(({ step }) => step !== event.step)
  }

  #end(event: LoggedEventOf<'workflow_end'>): void {
    const { rollback } = this.#walk.definition ?? {}
    if (event.status !== 'failed' || rollback !== true) return
    for (const { step } of this.#due) {
      const sentence = `Step '${step}' was forgotten by the rollback: the run failed at event ${event.seq} without undoing it.`
      this.#walk.broken(sentence, { step, seq: event.seq })
    }
  }

  #broken(event: UndoEvent, what: string): void {
    const sentence = `Step '${event.step}' (visit ${event.visit}) ${what} (event ${event.seq}).`
    this.#walk.broken(sentence, placeOf(event))
  }
}
