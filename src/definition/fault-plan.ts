/** Version of the fault plan format. */
export const faultPlanVersion = 1

/**
 * What to break, where and how often, as plain JSON: the same text drives a test, the command line and a replay.
 */
export interface FaultPlan {
  readonly version: typeof faultPlanVersion
  readonly seed?: number | string
  readonly faults: readonly Fault[]
  /** Lets agents go on one at a time, who has waited longest first but for these deviations. Absent: as they come. */
  readonly schedule?: readonly ScheduleDeviation[]
}

/** Another task than the one that has waited longest goes first. */
export interface ScheduleDeviation {
  /** Counted from 1: the moments at which more than one task could go on. */
  readonly decision: number
  /** The key of the task: the point that it is about to come to. */
  readonly pick: string
}

export type Fault =
  | AgentErrorFault
  | AgentAnswerFault
  | AgentDelayFault
  | ClockJumpFault
  | StepTimeoutFault
  | WorkflowTimeoutFault
  | GateFailureFault
  | HttpFailureFault

interface FaultAt {
  /** A selector, or the exact key of one fault point as a report or bundle shows it. */
  readonly at: FaultSelector | string
}

export interface FaultSelector {
  readonly step: string
  /** Counted from 1; absent: any. */
  readonly visit?: number
  /** Counted from 1; absent: any. */
  readonly attempt?: number
  /** How often to fire, over the whole session; `until-failed`: until the step has failed for good. Default 1. */
  readonly times?: number | 'until-failed'
}

export interface AgentErrorFault extends FaultAt {
  readonly fault: 'agent-error'
  readonly params?: {
    readonly message?: string
    /**
     * `before` (default): the agent is not called. `partial`: it fails when it has written its first artifact. `after`: when it
     * has done its work.
     */
    readonly moment?: 'before' | 'partial' | 'after'
  }
}

/** The agent does its work and answers something else. */
export interface AgentAnswerFault extends FaultAt {
  readonly fault: 'agent-answer'
  readonly params?: {
    /**
     * `malformed` (default): no JSON. `empty`: nothing. `oversize`: far more than an event holds. `worst-scores`: what it has to say,
     * with each of its `scores` at -1.
     */
    readonly form?: 'malformed' | 'empty' | 'oversize' | 'worst-scores'
  }
}

/** The agent does its work and keeps its answer back until the attempt's limit. */
export interface AgentDelayFault extends FaultAt {
  readonly fault: 'agent-delay'
  readonly params?: {
    /** A millisecond before the limit, at it, or (default) a millisecond after it, whatever its signal says. */
    readonly until?: 'before-limit' | 'at-limit' | 'after-limit'
  }
}

/** The clock of the machine is set forward, or back, while the step is being called. */
export interface ClockJumpFault extends FaultAt {
  readonly fault: 'clock-jump'
  /** Default `hour`. */
  readonly params?: {
    readonly by?: 'second' | 'hour' | 'year' | 'back-second' | 'back-hour' | 'back-year'
  }
}

/** The agent is not called and never answers: the attempt's limit ends it. */
export interface StepTimeoutFault extends FaultAt {
  readonly fault: 'step-timeout'
}

/** The clock jumps to the workflow's limit while the step is being called. */
export interface WorkflowTimeoutFault extends FaultAt {
  readonly fault: 'workflow-timeout'
}

export interface GateFailureFault extends FaultAt {
  readonly fault: 'gate-failure'
  readonly params?: {
    readonly reason?: string
    /** `fail` (default): the gate says no. `throw`: it cannot be judged. */
    readonly mode?: 'fail' | 'throw'
  }
}

/** A request to another service goes wrong, whoever makes it: `http`, `verify`, or an agent with `context.http`. */
export interface HttpFailureFault extends FaultAt {
  readonly fault: 'http-failure'
  readonly params?: {
    /**
     * `refused` (default): nothing listens. `reset`: the service is asked and works, and its answer is lost. `stall`: no answer
     * ever comes. `status`: it answers that it is broken. `broken-body`: half of its answer arrives.
     */
    readonly mode?: 'refused' | 'reset' | 'stall' | 'status' | 'broken-body'
    /** For mode `status`. Default 503. */
    readonly status?: number
  }
}

export type FaultKind = Fault['fault']
