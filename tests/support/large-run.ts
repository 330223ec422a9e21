import type { EventBody, LogEntry, SessionRecording, WorkflowEvent } from '../../src/trace/index.ts'
import {
  artifact,
  eventBuilder,
  sampleDefinition,
  sampleIds,
  sampleRecording,
  stepContext,
} from './sample-run.ts'

const overloaded = { kind: 'exception', message: 'model overloaded', name: 'ModelError' } as const
const inParallel = 4

/**
 * A recording of many steps, four at a time: every seventh step is retried, every eleventh sent back by its gate once, the
 * process dies every `crashEvery` steps and the run is resumed.
 */
export function largeRecording(stepCount: number, crashEvery = 50): SessionRecording {
  const ids = Array.from({ length: stepCount }, (_, index) => `step-${String(index).padStart(4, '0')}`)
  const events: WorkflowEvent[] = []
  const build = eventBuilder()
  const note = (afterMs: number, body: EventBody): void => void events.push(build(afterMs, body))
  const definition = {
    ...sampleDefinition,
    steps: ids.map((id) => ({
      ...(sampleDefinition.steps[0] as (typeof sampleDefinition.steps)[number]),
      id,
    })),
    edges: [],
  }
  note(0, {
    kind: 'workflow_start',
    status: 'running',
    definition,
    definitionSha256: 'd'.repeat(64),
    input: { version: '1.2.0' },
    seed: 1,
    launch: {},
    owner: 'owner-one',
  })
  for (let first = 0; first < stepCount; first += inParallel) {
    const batch = ids.slice(first, first + inParallel)
    const crashes = first > 0 && first % crashEvery < inParallel
    for (const id of batch) note(3, { kind: 'step_start', status: 'running', ...stepContext(id) })
    if (crashes) {
      note(60_000, { kind: 'workflow_resume', status: 'running', owner: 'owner-two', restarts: batch })
      for (const id of batch) note(1, { kind: 'step_start', status: 'running', ...stepContext(id, 1, 2) })
    }
    batch.forEach((id, offset) => finish(id, first + offset, crashes ? 2 : 1))
  }
  note(0, { kind: 'workflow_end', status: 'completed' })
  return {
    ...sampleRecording(),
    definition,
    events,
    logs: ids.map((step, index): LogEntry => ({
      at: (events[0]?.at ?? 0) + index * 40,
      level: index % 9 === 0 ? 'warn' : 'info',
      message: `line ${index} of what agent ${step} had to say about its work`,
      ...sampleIds,
      step,
      visit: 1,
      attempt: 1,
    })),
  }

  function finish(id: string, index: number, attempt: number): void {
    const produced = [artifact(`out/${id}.md`)]
    let [visit, current] = [1, attempt]
    if (index % 7 === 3) {
      const retry = { error: overloaded, durationMs: 90, delayMs: 500, notBefore: 0 }
      note(90, { kind: 'step_retry', status: 'retrying', ...stepContext(id, visit, current), ...retry })
      current++
      note(500, { kind: 'step_start', status: 'running', ...stepContext(id, visit, current) })
    }
    if (index % 11 === 5) {
      note(120, {
        kind: 'gate_result',
        status: 'failed',
        ...stepContext(id, visit, current),
        reason: 'overall 60 is below 80',
        output: { scores: { overall: 60 } },
        route: { to: 'loop', target: id, loop: 1 },
      })
      ;[visit, current] = [2, 1]
      note(2, { kind: 'step_start', status: 'running', ...stepContext(id, visit, current) })
    }
    const place = stepContext(id, visit, current)
    note(210, {
      kind: 'artifacts_prepared',
      status: 'running',
      ...place,
      artifacts: produced,
      output: { index },
    })
    note(4, {
      kind: 'step_finish',
      status: 'completed',
      ...place,
      output: { index },
      artifacts: produced,
      durationMs: 214,
    })
  }
}
