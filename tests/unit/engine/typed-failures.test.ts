import { expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import {
  ConfigurationError,
  ConnectionError,
  CriticalError,
  ExternalServiceError,
  StepFailure,
  TimeoutError,
  ValidationError,
} from '../../../src/engine/index.ts'
import { engineBench } from '../../support/engine-run.ts'

const classes = [
  [ExternalServiceError, 'external', 'transient', 2],
  [ConnectionError, 'connection', 'transient', 2],
  [TimeoutError, 'timeout', 'transient', 2],
  [ValidationError, 'validation', 'permanent', 1],
  [ConfigurationError, 'configuration', 'permanent', 1],
  [CriticalError, 'critical', 'permanent', 1],
] as const

test.each(classes)(
  '%o that an agent throws is of kind %s and %s: attempts %i of 2',
  async (Failure, kind, category, attempts) => {
    const failure = new Failure('no', { code: 'E1', cause: new Error('why') })
    expect(failure).toBeInstanceOf(StepFailure)
    const bench = engineBench(createVirtualFiles())
    const life = bench.life({
      worker: () => {
        throw failure
      },
    })
    await life.start({ id: 'one', steps: [{ id: 'call', agent: 'worker', retries: 1, retryDelayMs: 5 }] })
    await life.runThroughTime()
    const { steps } = life.incarnation.state()
    const error = { kind, category, message: 'no', code: 'E1' }
    expect(steps['call']?.error).toEqual(error)
    expect(steps['call']?.attempts).toMatchObject(
      Array.from({ length: attempts }, (_, index) => ({ attempt: index + 1, outcome: 'failed', error })),
    )
  },
)
