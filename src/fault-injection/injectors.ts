import type {
  AgentAnswerFault,
  AgentDelayFault,
  AgentErrorFault,
  ClockJumpFault,
  FaultSelector,
  GateFailureFault,
  HttpFailureFault,
  StepTimeoutFault,
  WorkflowTimeoutFault,
} from '../definition/index.ts'

export type FaultTimes = Omit<FaultSelector, 'step'>

/**
 * The agent of a step throws.
 *
 * @example agentError('review', { attempt: 1, message: 'model overloaded' })
 */
export function agentError(
  step: string,
  options: FaultTimes & NonNullable<AgentErrorFault['params']> = {},
): AgentErrorFault {
  const { message, moment, ...times } = options
  return {
    fault: 'agent-error',
    at: { step, ...times },
    ...(message === undefined && moment === undefined
      ? {}
      : {
          params: {
            ...(message === undefined ? {} : { message }),
            ...(moment === undefined ? {} : { moment }),
          },
        }),
  }
}

/**
 * The agent of a step does its work and answers something else: no JSON, nothing, or far more than an event holds.
 *
 * @example agentAnswer('review', { form: 'empty' })
 */
export function agentAnswer(
  step: string,
  { form, ...times }: FaultTimes & NonNullable<AgentAnswerFault['params']> = {},
): AgentAnswerFault {
  return {
    fault: 'agent-answer',
    at: { step, ...times },
    ...(form === undefined ? {} : { params: { form } }),
  }
}

/**
 * The agent of a step does its work and keeps its answer back until just before, at, or just after the attempt's limit.
 *
 * @example agentDelay('review', { until: 'before-limit' })
 */
export function agentDelay(
  step: string,
  { until, ...times }: FaultTimes & NonNullable<AgentDelayFault['params']> = {},
): AgentDelayFault {
  return {
    fault: 'agent-delay',
    at: { step, ...times },
    ...(until === undefined ? {} : { params: { until } }),
  }
}

/** The clock of the machine is set forward, or back, while the step is being called. */
export function clockJump(
  step: string,
  { by, ...times }: FaultTimes & NonNullable<ClockJumpFault['params']> = {},
): ClockJumpFault {
  return { fault: 'clock-jump', at: { step, ...times }, ...(by === undefined ? {} : { params: { by } }) }
}

/** The agent of a step hangs until the attempt's limit. Takes no time under the virtual clock. */
export function stepTimeout(step: string, options: FaultTimes = {}): StepTimeoutFault {
  return { fault: 'step-timeout', at: { step, ...options } }
}

/** The workflow's time limit passes while the step is being called. */
export function workflowTimeout(step: string, options: FaultTimes = {}): WorkflowTimeoutFault {
  return { fault: 'workflow-timeout', at: { step, ...options } }
}

/** The gate of a step says no (`mode: 'throw'`: cannot be judged). */
export function gateFailure(
  step: string,
  options: FaultTimes & NonNullable<GateFailureFault['params']> = {},
): GateFailureFault {
  const { reason, mode, ...times } = options
  return {
    fault: 'gate-failure',
    at: { step, ...times },
    ...(reason === undefined && mode === undefined
      ? {}
      : { params: { ...(reason === undefined ? {} : { reason }), ...(mode === undefined ? {} : { mode }) } }),
  }
}

/**
 * A request of a step goes wrong on its way.
 *
 * @example httpFailure('notify', { mode: 'reset', attempt: 1 })
 */
export function httpFailure(
  step: string,
  options: FaultTimes & NonNullable<HttpFailureFault['params']> = {},
): HttpFailureFault {
  const { mode, status, ...times } = options
  return {
    fault: 'http-failure',
    at: { step, ...times },
    ...(mode === undefined && status === undefined
      ? {}
      : {
          params: { ...(mode === undefined ? {} : { mode }), ...(status === undefined ? {} : { status }) },
        }),
  }
}
