import { FaultlineError } from '../../core/index.ts'

/** A file that holds what cannot be, and that nothing vouches for anew. */
export function corrupt(
  file: string,
  what: string,
  details: Readonly<Record<string, unknown>>,
): FaultlineError {
  return new FaultlineError(
    'STATE_CORRUPT',
    `${file} is damaged: ${what}. Nothing was changed. Restore the file from a copy; faultline never repairs this in silence.`,
    { details: { file, what, ...details } },
  )
}
