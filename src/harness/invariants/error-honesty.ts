import type { SeenError } from './evidence.ts'
import type { Invariant } from './invariant.ts'

/** O11 */
export const errorHonesty: Invariant = {
  name: 'O11',
  title:
    'a fault that the run need not survive reaches the caller as an error with a code or kind that names the cause',
  check(run, verdict) {
    const { evidence } = run
    const told = evidence.faults.filter((fault) => fault.class !== 'survivable')
    if (told.length === 0) return
    // A retry is told of in the log, with what it is made for.
    const retried: readonly SeenError[] = run.events
      .filter((event) => event.kind === 'step_retry')
      .map(({ error: { message, kind } }) => ({ message, kind }))
    for (const { fault, key, cause } of told) {
      if (cause === undefined) {
        verdict.notJudged(`whether fault '${fault}' at ${key} was reported: it names no cause`)
        continue
      }
      const reports = [...evidence.errors, ...retried].filter((error) => names(error, cause))
      if (reports.length === 0) {
        const sentence = `Fault '${fault}' at ${key} was swallowed: no error that names '${cause}' reached the caller.`
        verdict.broken(sentence, placeOfKey(key))
      } else if (!reports.some(({ code, kind }) => (code ?? kind) !== undefined)) {
        const sentence = `Fault '${fault}' at ${key} reached the caller as an error without code or kind: ${reports[0]?.message}.`
        verdict.broken(sentence, placeOfKey(key))
      }
    }
  },
}

function names({ message, causes = [] }: SeenError, cause: string): boolean {
  return [message, ...causes].some((text) => text.includes(cause))
}

/** `<incarnation>/<step>#<visit>@<attempt>:<port>...`; outside steps it names none. */
function placeOfKey(key: string): {
  readonly step?: string
  readonly visit?: number
  readonly attempt?: number
} {
  const [, step, visit, attempt] = /^\d+\/([^#:]+)#(\d+)@(\d+):/.exec(key) ?? []
  return step === undefined ? {} : { step, visit: Number(visit), attempt: Number(attempt) }
}
