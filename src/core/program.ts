/** What may be there already or come later: simulated effects answer at once, real ones with a promise. */
export type MaybePromise<T> = T | Promise<T>

/** Code that asks for effects instead of performing them: it yields operations and is handed their results. */
export type Program<Operation, T> = Generator<Operation, T, unknown>

/**
 * Runs a program against `perform`. Stays synchronous for as long as `perform` answers at once and turns asynchronous at
 * the first promise, so that one protocol text serves the simulated disk and the real one.
 */
export function interpret<Operation, T>(
  program: Program<Operation, T>,
  perform: (operation: Operation) => unknown,
): MaybePromise<T> {
  let step = program.next()
  while (!step.done) {
    let answer: unknown
    try {
      answer = perform(step.value)
    } catch (error) {
      step = program.throw(error)
      continue
    }
    if (isPromise(answer)) return interpretLater(program, answer, perform)
    step = program.next(answer)
  }
  return step.value
}

async function interpretLater<Operation, T>(
  program: Program<Operation, T>,
  first: Promise<unknown>,
  perform: (operation: Operation) => unknown,
): Promise<T> {
  let pending: unknown = first
  for (;;) {
    let step: IteratorResult<Operation, T>
    try {
      const answer = await pending
      step = program.next(answer)
    } catch (error) {
      step = program.throw(error)
    }
    for (;;) {
      if (step.done) return step.value
      try {
        pending = perform(step.value)
        break
      } catch (error) {
        step = program.throw(error)
      }
    }
  }
}

export function isPromise(value: unknown): value is Promise<unknown> {
  return (
    value !== null && typeof value === 'object' && typeof (value as { then?: unknown }).then === 'function'
  )
}

/** Continues with `next` now or when the promise settles; keeps synchronous paths synchronous. */
export function whenReady<T, U>(
  value: MaybePromise<T>,
  next: (value: T) => MaybePromise<U>,
): MaybePromise<U> {
  return isPromise(value) ? value.then(next) : next(value)
}
