import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createDigest } from '../../../../src/adapters/node/index.ts'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { deferred, isFaultlineError } from '../../../../src/core/index.ts'
import { builtInInvariants, judge } from '../../../../src/harness/index.ts'
import { compareRuns, schedules } from '../../../../src/harness/invariants/index.ts'
import type { Evidence } from '../../../../src/harness/index.ts'
import type { JsonObject } from '../../../../src/core/index.ts'
import type { FilesPort, TickReport } from '../../../../src/ports/index.ts'
import type { StateDocument, WorkflowEvent } from '../../../../src/trace/index.ts'
import { engineBench } from '../../../support/engine-run.ts'
import type { EngineBench, EngineLifeUnderTest } from '../../../support/engine-run.ts'
import { predict } from '../../../support/flow-model.ts'
import type { ModelOutcome } from '../../../support/flow-model.ts'
import { gatesOf, modelOf, newWorld, outcomeOf, randomFlows, workerOf, workflowOf } from './random-flow.ts'
import type { FlowWorld, RandomFlow } from './random-flow.ts'

/** Each property adds a number of its own, so that none sees the workflows of another. */
const seed = 20_261_100
/** Some seconds on a machine that is busy with other things. */
const timeoutMs = 60_000

/** Invariants that a log and its files can be held to without a record of every life. */
const judged = builtInInvariants.filter(({ name }) =>
  ['O2', 'O3', 'O5', 'O6', 'O7', 'O8', 'O12', 'O13', 'O14', 'O20'].includes(name),
)

/** One step after another: which ones had started when another failed is then no matter of chance. */
const inTurn = { joinsAny: true, goesOnAfterFailure: undefined, mostConcurrentSteps: 1 }
/** Side by side, where every order must come to the same. */
const sideBySide = { joinsAny: false, goesOnAfterFailure: true, mostConcurrentSteps: 4 }

test(
  'a separate model predicts which steps of any workflow run, are skipped and fail, and for what reason',
  async () => {
    await fc.assert(
      fc.asyncProperty(randomFlows(inTurn), async (flow) => {
        const { state, world, violations } = await runOnce(flow)
        const { calls, ...expected } = predict(modelOf(flow))
        expect(outcomeOf(state)).toEqual(withTaken(flow, expected))
        expect(world.calls).toEqual(calls)
        expect(violations).toEqual([])
      }),
      { seed: seed + 1, numRuns: 250 },
    )
  },
  timeoutMs,
)

test(
  'steps side by side come to what they come to one after another',
  async () => {
    await fc.assert(
      fc.asyncProperty(randomFlows(sideBySide), async (flow) => {
        const { state, violations, evidence } = await runOnce(flow)
        const { calls: _calls, ...expected } = predict(modelOf(flow))
        expect(outcomeOf(state)).toEqual(withTaken(flow, expected))
        expect(violations).toEqual([])
        const others = [
          (await runOnce(otherwisePaced(flow, 0))).evidence,
          (await runOnce(otherwisePaced(flow, 1))).evidence,
        ]
        expect((await compareRuns([evidence, ...others], schedules)).violations).toEqual([])
      }),
      { seed: seed + 2, numRuns: 150 },
    )
  },
  timeoutMs,
)

/** Before which changes of the disk the lives die that come first. */
const deaths = fc.array(fc.noBias(fc.nat(99_999)), { minLength: 1, maxLength: 3 })

test(
  'deaths at any file operation change nothing of what is decided',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          randomFlows(inTurn).map((flow) => ({ flow, isPredictable: false })),
          randomFlows(sideBySide).map((flow) => ({ flow, isPredictable: true })),
        ),
        deaths,
        fc.constantFrom('kill' as const, 'power-min' as const),
        async (drawn, numbers, outcome) => {
          const flow = withoutLuck(drawn.flow)
          const world = newWorld(flow)
          const changes = (await runOnce(flow)).changes
          let files = createVirtualFiles()
          for (const [index, number] of numbers.entries()) {
            await liveUntil(flow, world, files, number % (index === 0 ? changes : 30))
            files = files.afterCrash(outcome)
          }
          const { state, violations } = await liveOn(flow, world, files)
          expect(violations).toEqual([])
          expect(state.status).not.toBe('running')
          // In turn, it is a matter of chance what has run when another step fails, or which of several ways is the first.
          if (!drawn.isPredictable) return
          const { calls: _calls, ...expected } = predict(modelOf(flow))
          expect(outcomeOf(state)).toEqual(withTaken(flow, expected))
        },
      ),
      { seed: seed + 3, numRuns: 120 },
    )
  },
  timeoutMs,
)

test(
  'a failed run that is resumed when its agents have recovered comes to what it would have come to without failures',
  async () => {
    await fc.assert(
      fc.asyncProperty(randomFlows({ ...sideBySide, goesOnAfterFailure: undefined }), async (drawn) => {
        const flow = untroubled(drawn)
        const files = createVirtualFiles()
        const troubled = {
          ...flow,
          steps: flow.steps.map((step, index) => ({
            ...step,
            failures: drawn.steps[index]?.tolerated === true ? 0 : (drawn.steps[index]?.failures ?? 0),
          })),
        }
        const first = await liveOn(troubled, newWorld(flow), files)
        const last = first.state.status === 'failed' ? await liveOn(flow, newWorld(flow), files) : first
        const { calls: _calls, ...expected } = predict(modelOf(flow))
        expect(outcomeOf(last.state)).toEqual(withTaken(flow, expected))
      }),
      { seed: seed + 4, numRuns: 120 },
    )
  },
  timeoutMs,
)

interface Interruption {
  readonly how: 'cancel' | 'kill' | 'power-min'
  /** After so many moves, each of which is a tick or the passing of time. */
  readonly after: number
}

const interrupted = fc.record({
  flow: fc.oneof(randomFlows(inTurn), randomFlows(sideBySide)),
  interruptions: fc.array(
    fc.record({
      how: fc.constantFrom<Interruption['how']>('cancel', 'kill', 'kill', 'power-min'),
      after: fc.nat(12),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  settings: fc.record({
    retryDelayMs: fc.constantFrom(0, 5),
    cancelGraceMs: fc.constantFrom(0, 10),
    asking: fc.option(fc.nat(6), { nil: undefined }),
  }),
})

test(
  'limits, pauses, cancelling and deaths at any point break no invariant, and each of them is met often',
  async () => {
    const met = { inFlight: 0, cancelled: 0, paused: 0, waited: 0, timedOut: 0, completed: 0 }
    await fc.assert(
      fc.asyncProperty(interrupted, async ({ flow, interruptions, settings }) => {
        const { asking, ...others } = settings
        const drawn = { ...flow, ...others, ...(asking === undefined ? {} : { asking }) }
        const { state, violations, events } = await interruptedRun(drawn, interruptions, met)
        expect(violations).toEqual([])
        expect(['completed', 'failed', 'cancelled']).toContain(state.status)
        if (state.status === 'cancelled') met.cancelled++
        if (state.status === 'completed') met.completed++
        if (events.some(({ kind }) => kind === 'workflow_pause')) met.paused++
        if (events.some((event) => event.kind === 'step_retry' && event.delayMs > 0)) met.waited++
        if (events.some((event) => 'error' in event && event.error?.kind === 'timeout')) met.timedOut++
      }),
      { seed: seed + 5, numRuns: 300 },
    )
    expect(Object.entries(met).filter(([, times]) => times < 30)).toEqual([])
  },
  timeoutMs,
)

/** Moves a run, and interrupts it again and again; then it comes to its end, with the input that it asks for. */
async function interruptedRun(
  flow: RandomFlow,
  interruptions: readonly Interruption[],
  met: { inFlight: number },
): Promise<Pick<Ran, 'state' | 'violations'> & { readonly events: readonly WorkflowEvent[] }> {
  const world = newWorld(flow)
  let files = createVirtualFiles()
  for (const { how, after } of interruptions) {
    const { life, bench } = await takenUp(flow, world, files)
    if (life === undefined) break
    let report = await life.tick()
    for (let moves = 0; moves < after && report.status === 'running'; moves++)
      report = await moved(life, bench)
    if (report.status === 'running' && report.inFlight.length > 0) met.inFlight++
    if (how !== 'cancel') files = files.afterCrash(how)
    else if (report.status === 'running') {
      await life.incarnation.cancel('enough')
      while ((await moved(life, bench)).status === 'running');
    }
    world.now = bench.clock.now()
    world.life++
  }
  for (;;) {
    const { life, bench } = await takenUp(flow, world, files, { yes: true, later: 'here' })
    if (life !== undefined) while ((await moved(life, bench)).status === 'running');
    const runId = (await bench.reader.last()) as string
    const { state, events } = await bench.reader.read(runId)
    world.now = bench.clock.now()
    world.life++
    if (state.status === 'paused') continue
    const { violations } = await judge(evidenceOf(runId, state, world, files), judged)
    return { state, events, violations: violations.map(({ sentence }) => sentence) }
  }
}

/** A life that has started the run or taken it over; without one where it had come to its end. */
async function takenUp(flow: RandomFlow, world: FlowWorld, files: VirtualFiles, input?: JsonObject) {
  const bench = engineBench(files)
  bench.clock.advanceTo(Math.max(bench.clock.now(), world.now))
  const life = bench.life({ worker: workerOf(flow, world) }, gatesOf(flow))
  if ((await bench.reader.last()) === undefined) {
    await life.start(workflowOf(flow), { input: { yes: true } })
    return { bench, life }
  }
  const request = input === undefined ? {} : { input }
  return { bench, life: (await recovers(() => life.incarnation.recover(request))) ? life : undefined }
}

/** A tick, or time until somebody has something to do. */
async function moved(life: EngineLifeUnderTest, { clock }: EngineBench): Promise<TickReport> {
  const report = await life.tick()
  const next = Math.min(report.nextAt ?? Infinity, clock.next() ?? Infinity)
  if (report.status === 'running' && report.events.length === 0 && next < Infinity) clock.advanceTo(next)
  return report
}

/** The state has the connections taken only where one of them has a condition. */
function withTaken(flow: RandomFlow, expected: Omit<ModelOutcome, 'calls'>): Omit<ModelOutcome, 'calls'> {
  const isRouted = flow.edges.some(({ condition }) => condition !== undefined)
  return isRouted ? expected : { ...expected, taken: [] }
}

/** A resume gives new tries: what fails sometimes would then fail less often than the model says. */
function withoutLuck(flow: RandomFlow): RandomFlow {
  const steps = flow.steps.map((step) => ({
    ...step,
    failures: step.failures > step.retries ? Infinity : step.failures,
  }))
  return { ...flow, steps }
}

/** The other steps are done first, and none crosses its limit by that. */
function otherwisePaced(flow: RandomFlow, shift: number): RandomFlow {
  const steps = flow.steps.map((step, index) => ({
    ...step,
    sleepMs: step.sleepMs < 10 ? (step.sleepMs + 5 * index + 7 * shift) % 9 : 40 - index - 15 * shift,
  }))
  return { ...flow, steps }
}

/** Nothing fails by itself: no agent, no condition that cannot be judged, no gate for good. */
function untroubled(flow: RandomFlow): RandomFlow {
  const isError = (condition: unknown): boolean => condition === 'error'
  return {
    ...flow,
    edges: flow.edges.map((edge) => (isError(edge.condition) ? { ...edge, condition: 'true' } : edge)),
    steps: flow.steps.map((step) => ({
      ...step,
      failures: 0,
      limitMs: undefined,
      ...(isError(step.condition) ? { condition: 'false' as const } : {}),
      gate: step.gate && { ...step.gate, maxLoops: 3 },
    })),
  }
}

interface Ran {
  readonly state: StateDocument
  readonly violations: readonly string[]
  readonly changes: number
  readonly evidence: Evidence
}

async function runOnce(flow: RandomFlow): Promise<Ran & { readonly world: FlowWorld }> {
  const world = newWorld(flow)
  return { ...(await liveOn(flow, world, createVirtualFiles())), world }
}

/** Starts the run, or takes it over, and lets it come to its end. */
async function liveOn(flow: RandomFlow, world: FlowWorld, files: VirtualFiles): Promise<Ran> {
  const { bench, whole } = lifeOf(flow, world, files)
  await whole()
  const runId = (await bench.reader.last()) as string
  const { state } = await bench.reader.read(runId)
  const evidence = evidenceOf(runId, state, world, files)
  const { violations } = await judge(evidence, judged)
  return {
    state,
    evidence,
    violations: violations.map(({ sentence }) => sentence),
    changes: bench.trace.filter(isChange).length,
  }
}

const isChange = (operation: string): boolean => !/^(?:stat|read|list|close)\b/.test(operation)

function lifeOf(flow: RandomFlow, world: FlowWorld, files: FilesPort) {
  const bench = engineBench(files)
  bench.clock.advanceTo(Math.max(bench.clock.now(), world.now))
  const life = bench.life({ worker: workerOf(flow, world) }, gatesOf(flow))
  const whole = async (): Promise<void> => {
    if ((await bench.reader.last()) === undefined)
      await life.start(workflowOf(flow), { input: { yes: true } })
    else if (!(await recovers(() => life.incarnation.recover({})))) return
    await life.runThroughTime()
  }
  return { bench, whole }
}

/** False for a run that had completed before its process died. */
async function recovers(recover: () => unknown): Promise<boolean> {
  try {
    await recover()
    return true
  } catch (error) {
    if (isFaultlineError(error, 'RUN_NOT_RESUMABLE')) return false
    throw error
  }
}

/** The disk answers no more after so many changes, as if the process had died there. */
async function liveUntil(
  flow: RandomFlow,
  world: FlowWorld,
  files: VirtualFiles,
  changes: number,
): Promise<void> {
  const died = deferred<void>()
  let count = 0
  const dying: FilesPort = {
    perform(operation) {
      if (isChange(operation.op)) count++
      if (count <= changes) return files.perform(operation)
      died.resolve()
      return new Promise(() => {}) as never
    },
  }
  const { bench, whole } = lifeOf(flow, world, dying)
  await Promise.race([whole(), died.promise])
  world.now = bench.clock.now()
  world.life++
}

function evidenceOf(runId: string, state: StateDocument, world: FlowWorld, files: VirtualFiles): Evidence {
  const { status, error } = state
  return {
    runId,
    digest: createDigest(),
    clock: 'virtual',
    initialFiles: new Map(),
    files: files.snapshotFiles(),
    earlierLives: [],
    ending: { status: status as 'completed', ...(error === null ? {} : { error }) },
    executions: world.executions,
    effects: [],
    faults: [],
    errors: [],
    warnings: [],
  }
}
