import { existsSync, readFileSync } from 'node:fs'
import { FaultlineError, messageOf } from '../core/index.ts'

/** @throws FaultlineError `FILE_NOT_FOUND` saying what the file was wanted for. */
export function readTextFile(file: string, what: string): string {
  if (!existsSync(file)) {
    throw new FaultlineError('FILE_NOT_FOUND', `There is no ${what} '${file}'.`, { details: { path: file } })
  }
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new FaultlineError('FILE_NOT_FOUND', `The ${what} '${file}' cannot be read: ${messageOf(error)}`, {
      details: { path: file },
      cause: error,
    })
  }
}
