import type { SeenError } from './evidence.ts'
import type { Invariant } from './invariant.ts'
import type { RunReading } from './run-reading.ts'

/** O11 */
export const errorHonesty: Invariant = {
  name: 'O11',
  title:
    'a fault that the run need not survive reaches the caller as an error with a code or kind that names the cause',
  check(run, verdict) {
    const { faults, errors } = run.evidence
    for (const { fault, key, class: promised, cause } of faults) {
      if (promised === 'survivable') continue
      if (cause === undefined) {
        verdict.notJudged(`whether fault '${fault}' at ${key} was reported: it names no cause`)
        continue
      }
      if (errors.some((error) => names(error, cause) && saysWhat(error))) continue
      const reports = [...errors, ...retriedErrors(run)].filter((error) => names(error, cause))
      if (reports.length === 0) {
        const sentence = `Fault '${fault}' at ${key} was swallowed: no error that names '${cause}' reached the caller.`
        verdict.broken(sentence, placeOfKey(key))
      } else if (!reports.some(saysWhat)) {
        const sentence = `Fault '${fault}' at ${key} reached the caller as an error without code or kind: ${reports[0]?.message}.`
        verdict.broken(sentence, placeOfKey(key))
      }
    }
  },
}

/** A retry is told of in the log, with what it is made for. */
function retriedErrors({ events }: RunReading): readonly SeenError[] {
  return events
    .filter((event) => event.kind === 'step_retry')
    .map(({ error: { message, kind } }) => ({ message, kind }))
}

function names({ message, causes = [] }: SeenError, cause: string): boolean {
  return message.includes(cause) || causes.some((text) => text.includes(cause))
}

function saysWhat({ code, kind }: SeenError): boolean {
  return (code ?? kind) !== undefined
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
