import { whenReady } from '../../src/core/index.ts'
import type { JsonValue } from '../../src/core/index.ts'
import type { WorkflowDefinition } from '../../src/definition/index.ts'
import type {
  AgentContext,
  DriverPorts,
  FilesPort,
  Incarnation,
  RunView,
  StartRequest,
  TickPolicy,
  TickReport,
  WorkflowDriver,
} from '../../src/ports/index.ts'
import type { StateDocument, WorkflowEvent } from '../../src/trace/index.ts'

/**
 * A second engine, as small as it can be: one step after another, one JSON file with the events so far, rewritten after every
 * step. It stages nothing and has no gates. That a session works with it shows that the harness knows only the driver port.
 */
export const listDriver: WorkflowDriver = {
  name: 'list',
  capabilities: { pause: 'engine', timeSkip: 'none', journal: 'steps', artifacts: false, gates: false },
  incarnate: createIncarnation,
  reader: ({ files }) => ({
    list: () => [],
    last: () => 'list-run',
    checkpoints: () => [],
    history: () => [],
    savedState() {
      throw new Error('this engine keeps no history')
    },
    read: (_runId, throughSeq) => whenReady(journalOf(files), (events) => viewOf(events, throughSeq)),
  }),
}

const journal = 'list-run.json'

function createIncarnation(ports: DriverPorts): Incarnation {
  let events: WorkflowEvent[] = []
  let arrived: { readonly step: string; readonly output?: JsonValue; readonly message?: string } | undefined
  let inFlight: string | undefined

  const save = (): void =>
    void ports.files.perform({ op: 'write', path: journal, data: JSON.stringify(events) })
  const note = (body: object): WorkflowEvent => {
    const { definition } = events[0] as { readonly definition?: WorkflowDefinition }
    const event = {
      v: 1,
      seq: events.length,
      epoch: 1,
      durableSeq: events.length - 1,
      at: ports.clock.now(),
      workflowId: definition?.id ?? '',
      runId: 'list-run',
      correlationId: 'list',
      ...body,
    } as WorkflowEvent
    events.push(event)
    return event
  }
  const nextStep = (): string | undefined => {
    const { state } = viewOf(events)
    return state.definition.steps.find(({ id }) => !state.completedSteps.includes(id))?.id
  }
  const call = (step: string): void => {
    const { definition } = viewOf(events).state
    const agent = definition.steps.find(({ id }) => id === step)?.agent ?? ''
    const attempt = events.filter((event) => event.kind === 'step_start' && event.step === step).length
    const context = {
      step,
      agent,
      visit: 1,
      attempt,
      clock: { now: () => ports.clock.now() },
    } as unknown as AgentContext
    inFlight = step
    ports.agents
      .invoke({ context, aborted: () => false, attemptDeadline: Infinity, workflowDeadline: undefined })
      .then(
        (output) => arrive({ step, output: output ?? null }),
        (error: unknown) => arrive({ step, message: (error as Error).message }),
      )
  }
  const arrive = (result: NonNullable<typeof arrived>): void => {
    arrived = result
    ports.wake()
  }
  const about = (step: string): object => {
    const attempt = events.filter((event) => event.kind === 'step_start' && event.step === step).length
    return { step, visit: 1, attempt, agent: 'any' }
  }

  return {
    start({ definition, input, seed }: StartRequest) {
      events = []
      events.push({
        v: 1,
        seq: 0,
        epoch: 1,
        durableSeq: -1,
        at: ports.clock.now(),
        workflowId: definition.id,
        runId: 'list-run',
        correlationId: 'list',
        kind: 'workflow_start',
        status: 'running',
        definition,
        definitionSha256: '',
        input,
        seed,
        launch: {},
        owner: '',
      })
      save()
      return 'list-run'
    },
    recover: () =>
      whenReady(journalOf(ports.files), (kept) => {
        events = [...kept]
        const step = nextStep()
        note({
          kind: 'workflow_resume',
          status: 'running',
          owner: '',
          restarts: step === undefined ? [] : [step],
        })
        save()
        return { runId: 'list-run', restarts: step === undefined ? [] : [step] }
      }),
    tick(policy: TickPolicy): TickReport {
      const from = events.length
      let stopped = false
      if (arrived !== undefined) {
        const { step, output, message } = arrived
        arrived = undefined
        inFlight = undefined
        const error = { kind: 'exception', message: message ?? '' }
        const event =
          message === undefined
            ? note({
                kind: 'step_finish',
                status: 'completed',
                ...about(step),
                output,
                artifacts: [],
                durationMs: 0,
              })
            : note({ kind: 'step_fail', status: 'failed', ...about(step), error, durationMs: 0 })
        stopped = policy.stopsAfter(event)
        if (message !== undefined) note({ kind: 'workflow_end', status: 'failed', step, error })
        else if (nextStep() === undefined) note({ kind: 'workflow_end', status: 'completed' })
      }
      const { status } = viewOf(events).state
      const step = status === 'running' && inFlight === undefined ? nextStep() : undefined
      const admitted = step !== undefined && !policy.holds.has(step)
      if (step !== undefined && admitted && !stopped)
        note({ kind: 'step_start', status: 'running', ...about(step) })
      save()
      if (step !== undefined && admitted && !stopped) call(step)
      return {
        status,
        events: events.slice(from),
        held: step !== undefined && !admitted ? [step] : [],
        inFlight: inFlight === undefined ? [] : [inFlight],
        backlog: 0,
        nextAt: undefined,
      }
    },
    state: () => viewOf(events).state,
    edit: () => {},
    answerGate: () => {},
    cancel: () => {},
    close: () => {},
  }
}

function journalOf(files: FilesPort): WorkflowEvent[] | Promise<WorkflowEvent[]> {
  return whenReady(
    files.perform({ op: 'read', path: journal }),
    (bytes) => JSON.parse(new TextDecoder().decode(bytes)) as WorkflowEvent[],
  )
}

function viewOf(all: readonly WorkflowEvent[], throughSeq = Infinity): RunView {
  const events = all.filter(({ seq }) => seq <= throughSeq)
  const start = events[0] as Extract<WorkflowEvent, { kind: 'workflow_start' }>
  const last = events.findLast(({ kind }) => kind === 'workflow_end' || kind === 'workflow_resume')
  const status = last?.kind === 'workflow_end' ? last.status : 'running'
  const completedSteps = events.flatMap((event) => (event.kind === 'step_finish' ? [event.step] : []))
  const state: StateDocument = {
    schemaVersion: 2,
    saveSeq: 1,
    seq: events.length - 1,
    epoch: 1,
    workflowId: start.workflowId,
    runId: start.runId,
    correlationId: start.correlationId,
    status,
    reason: null,
    progress: { completed: completedSteps.length, total: start.definition.steps.length },
    safePoint: { step: completedSteps.at(-1) ?? null, seq: null },
    monitoring: { errorCount: 0, recoveryAttempts: 0 },
    currentSteps: [],
    completedSteps,
    steps: {},
    gateDecisions: [],
    artifacts: [],
    input: start.input,
    seed: start.seed,
    launch: {},
    error:
      last?.kind === 'workflow_end' && last.error !== undefined
        ? { ...last.error, step: last.step ?? null }
        : null,
    startedAt: start.at,
    updatedAt: start.at,
    definitionSha256: '',
    definition: start.definition,
  }
  return { state, events, status }
}
