import { FaultlineError } from '../../core/index.ts'
import type { DriverPorts } from '../../ports/index.ts'

/** @throws FaultlineError `CONFIGURATION_INVALID` naming the option. */
export function checkStorageOptions({
  checkpointEvery,
  history,
  compression,
}: Pick<DriverPorts, 'checkpointEvery' | 'history' | 'compression'>): void {
  if (!isCount(checkpointEvery)) {
    throw invalid(
      `checkpointEvery must be a whole number of steps, or 0 for none, and it is ${checkpointEvery}`,
    )
  }
  if (!isCount(history?.keep)) {
    throw invalid(`history.keep must be a whole number of states, or 0 for none, and it is ${history?.keep}`)
  }
  if (history?.compress === true && compression === undefined) {
    throw invalid(`history.compress needs something that compresses, and this engine was given nothing`)
  }
}

function isCount(value: number | undefined): boolean {
  return value === undefined || (Number.isInteger(value) && value >= 0)
}

function invalid(problem: string): FaultlineError {
  return new FaultlineError('CONFIGURATION_INVALID', `${problem}.`)
}
