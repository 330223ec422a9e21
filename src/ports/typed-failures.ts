import { StepFailure } from './step-failure.ts'
import type { StepFailureFacts } from './step-failure.ts'

type Particulars = Pick<StepFailureFacts, 'code' | 'cause'>

/** A service outside did not do its part. May pass: it is retried. */
export class ExternalServiceError extends StepFailure {
  constructor(message: string, particulars: Particulars = {}) {
    super(message, { ...particulars, kind: 'external', category: 'transient' })
  }
}

/** A service was not reached, or went away in the middle. May pass: it is retried. */
export class ConnectionError extends StepFailure {
  constructor(message: string, particulars: Particulars = {}) {
    super(message, { ...particulars, kind: 'connection', category: 'transient' })
  }
}

/** Something that the agent waited for took too long. May pass: it is retried. */
export class TimeoutError extends StepFailure {
  constructor(message: string, particulars: Particulars = {}) {
    super(message, { ...particulars, kind: 'timeout', category: 'transient' })
  }
}

/** What the agent was given, or has made, is wrong and stays wrong. */
export class ValidationError extends StepFailure {
  constructor(message: string, particulars: Particulars = {}) {
    super(message, { ...particulars, kind: 'validation', category: 'permanent' })
  }
}

/** Something has to be set up before the agent can work. */
export class ConfigurationError extends StepFailure {
  constructor(message: string, particulars: Particulars = {}) {
    super(message, { ...particulars, kind: 'configuration', category: 'permanent' })
  }
}

/** Nothing must be tried again. */
export class CriticalError extends StepFailure {
  constructor(message: string, particulars: Particulars = {}) {
    super(message, { ...particulars, kind: 'critical', category: 'permanent' })
  }
}
