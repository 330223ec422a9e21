import { messageOf } from '../core/index.ts'
import type { ObserverPort } from '../ports/index.ts'
import type { StepError, WorkflowEvent } from '../trace/index.ts'

/** Told of every transition of every run, in order, once it is durable. What it throws is logged and harms nobody. */
export type EngineObserver = (event: WorkflowEvent) => void

/** What an attempt of a step came to. */
export interface StepMetrics {
  readonly workflowId: string
  readonly runId: string
  readonly step: string
  readonly visit: number
  readonly attempt: number
  readonly status: 'COMPLETED' | 'RETRYING' | 'FAILED'
  readonly durationMs: number
  readonly error: StepError | null
}

export type MetricsSink = (metrics: StepMetrics) => void

/** One observer for all: each is told, whatever another one throws; what was thrown is then told to the engine. */
export function observerFor(
  observers: readonly EngineObserver[],
  metrics: MetricsSink | undefined,
): ObserverPort {
  const all = metrics === undefined ? observers : [...observers, measuring(metrics)]
  return {
    event(event) {
      const problems: string[] = []
      for (const observer of all) {
        try {
          observer(event)
        } catch (thrown) {
          problems.push(messageOf(thrown))
        }
      }
      if (problems.length > 0) throw new Error(problems.join('; '))
    },
    log() {},
  }
}

const statuses = { step_finish: 'COMPLETED', step_retry: 'RETRYING', step_fail: 'FAILED' } as const

function measuring(sink: MetricsSink): EngineObserver {
  return (event) => {
    if (event.kind !== 'step_finish' && event.kind !== 'step_retry' && event.kind !== 'step_fail') return
    const { workflowId, runId, step, visit, attempt, durationMs } = event
    const error = event.kind === 'step_finish' ? null : event.error
    sink({ workflowId, runId, step, visit, attempt, status: statuses[event.kind], durationMs, error })
  }
}
