import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createDigest } from '../../../src/adapters/node/index.ts'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { deferred, isFaultlineError } from '../../../src/core/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import type { Agents, FilesPort, GatePort } from '../../../src/ports/index.ts'
import type { EventOf, StateDocument, WorkflowEvent } from '../../../src/trace/index.ts'
import { engineBench } from '../../support/engine-run.ts'
import type { EngineBench } from '../../support/engine-run.ts'

/** Each property adds a number of its own, so that none sees the workflows of another. */
const seed = 20_260_300
/** Some seconds on a machine that is busy with other things. */
const timeoutMs = 30_000

/** One step of a random workflow, by numbers; dependencies lead to lower ones. */
interface Plan {
  readonly dependsOn: readonly number[]
  readonly files: number
  readonly sleepMs: number
  readonly retries: number
  /** A gate that says no to so many visits; it returns to a step behind the gated one, or to that itself. */
  readonly gate: { readonly back: number; readonly refusals: number; readonly maxLoops: number } | undefined
}

interface Flow {
  readonly steps: readonly Plan[]
  readonly maxConcurrentSteps: number
}

type Fault =
  | { readonly kind: 'throw' | 'hang'; readonly step: number; readonly times: number }
  | { readonly kind: 'refuse'; readonly step: number; readonly times: number }

const flows: fc.Arbitrary<Flow> = fc.integer({ min: 1, max: 7 }).chain((size) =>
  fc.record({
    maxConcurrentSteps: fc.integer({ min: 1, max: 4 }),
    steps: fc.tuple(
      ...Array.from({ length: size }, (_, index) =>
        fc.record({
          dependsOn: fc.subarray(Array.from({ length: index }, (_each, before) => before)),
          files: fc.nat(2),
          sleepMs: fc.constantFrom(0, 0, 3, 20),
          retries: fc.nat(2),
          gate: fc.option(
            fc
              .record({ back: fc.nat(9), refusals: fc.nat(2), spare: fc.nat(1) })
              .map(({ back, refusals, spare }) => ({ back, refusals, maxLoops: refusals + spare })),
            { nil: undefined, freq: 2 },
          ),
        }),
      ),
    ),
  }),
)

const faultyFlows: fc.Arbitrary<{ readonly flow: Flow; readonly fault: Fault }> = flows.chain((flow) =>
  fc.record({
    flow: fc.constant(flow),
    fault: fc.record({
      kind: fc.constantFrom('throw' as const, 'hang' as const, 'refuse' as const),
      step: fc.nat(flow.steps.length - 1),
      times: fc.integer({ min: 1, max: 4 }),
    }),
  }),
)

const name = (index: number): string => `s${index}`

/** The step itself and all it depends on: what its gate may return to. */
function behind(flow: Flow, index: number): readonly number[] {
  const found = new Set([index])
  for (const each of found) for (const before of flow.steps[each]?.dependsOn ?? []) found.add(before)
  return [...found].sort((left, right) => left - right)
}

function target(flow: Flow, index: number): number {
  const places = behind(flow, index)
  return places[(flow.steps[index]?.gate?.back ?? 0) % places.length] as number
}

function created(plan: Plan | undefined, index: number): readonly string[] {
  return Array.from({ length: plan?.files ?? 0 }, (_, file) => `out/${name(index)}/${file}.txt`)
}

function workflowOf(flow: Flow): AgentWorkflow {
  return {
    id: 'random',
    settings: { maxConcurrentSteps: flow.maxConcurrentSteps, retryDelayMs: 10, stepTimeoutMs: 1_000 },
    steps: flow.steps.map((plan, index) => ({
      id: name(index),
      agent: 'worker',
      dependsOn: plan.dependsOn.map(name),
      creates: created(plan, index),
      retries: plan.retries,
      ...(plan.gate === undefined
        ? {}
        : {
            gate: {
              condition: 'true',
              onFail: name(target(flow, index)),
              maxLoops: plan.gate.maxLoops,
            },
          }),
    })),
  }
}

/** What outlives every engine life: which visits the agents were called for, and what is left of the fault. */
interface World {
  readonly flow: Flow
  readonly calls: string[]
  fault: Fault | undefined
}

function strikes(world: World, kind: Fault['kind'], step: string): boolean {
  const { fault } = world
  if (fault?.kind !== kind || name(fault.step) !== step || fault.times === 0) return false
  world.fault = { ...fault, times: fault.times - 1 }
  return true
}

interface Output {
  readonly value: number
  readonly visit: number
  readonly draw: number
  /** The visit of each dependency whose output this step has read. */
  readonly read: Readonly<Record<string, number>>
}

const { crc32 } = createDigest()

/** What a step makes depends on all that it reads; which visit made it, and from which, stands beside. */
function agentsOf(world: World): Agents {
  return {
    async worker({ step, visit, outputs, artifacts, clock, random }) {
      world.calls.push(`${step}#${visit}`)
      const index = Number(step.slice(1))
      const plan = world.flow.steps[index] as Plan
      const read = Object.fromEntries(
        plan.dependsOn.map((before) => [name(before), outputs[name(before)] as unknown as Output]),
      )
      const texts = await Promise.all(
        plan.dependsOn.flatMap((before) =>
          created(world.flow.steps[before], before).map((path) => artifacts.readText(path)),
        ),
      )
      const value = crc32([step, ...Object.values(read).map((each) => each.value), ...texts].join())
      for (const path of created(plan, index)) await artifacts.write(path, `${path} ${value}\n`)
      if (strikes(world, 'hang', step)) await clock.sleep(Infinity)
      await clock.sleep(plan.sleepMs)
      if (strikes(world, 'throw', step)) throw new Error('model overloaded')
      const visits = Object.entries(read).map(([before, output]) => [before, output.visit])
      return {
        value,
        visit,
        draw: random.integer(1_000),
        read: Object.fromEntries(visits) as Output['read'],
      } satisfies Output
    },
  }
}

/** A gate without a memory of its own: the first visits are refused, as many as planned. */
function gateOf(world: World): GatePort {
  return {
    decide: async ({ step, visit }) => {
      const refusals = world.flow.steps[Number(step.slice(1))]?.gate?.refusals ?? 0
      return { passed: visit > refusals && !strikes(world, 'refuse', step) }
    },
  }
}

interface Ran {
  readonly bench: EngineBench
  readonly state: StateDocument
}

/** Starts the flow, or recovers the one that is there, and recovers until it has completed. */
async function runUntilCompleted(world: World, files: VirtualFiles): Promise<Ran> {
  const bench = engineBench(files)
  for (let lives = 0; lives < 8; lives++) {
    if ((await liveOnce(world, bench)) === 'completed') break
  }
  const { state } = await bench.reader.read((await bench.reader.last()) as string)
  expect(state.status).toBe('completed')
  return { bench, state }
}

/** One life: starts the flow or recovers it, and runs it to its end. What was completed before is not called again. */
async function liveOnce(
  world: World,
  bench: EngineBench,
  died: Promise<void> = new Promise(() => {}),
): Promise<string> {
  const runId = await bench.reader.last()
  const done = runId === undefined ? [] : completedVisits((await bench.reader.read(runId)).state)
  const before = world.calls.length
  const life = bench.life(agentsOf(world), gateOf(world))
  const whole = async (): Promise<string> => {
    if (runId === undefined) await life.start(workflowOf(world.flow))
    else if (!(await recovers(() => life.incarnation.recover({})))) return 'completed'
    return (await life.runThroughTime()).status
  }
  const ended = await Promise.race([whole(), died.then(() => 'died')])
  expect(world.calls.slice(before).filter((call) => done.includes(call))).toEqual([])
  return ended
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

function completedVisits({ steps }: StateDocument): readonly string[] {
  return Object.entries(steps)
    .filter(([, step]) => step.status === 'completed')
    .map(([id, step]) => `${id}#${step.visit}`)
}

/** What must be the same whatever went wrong on the way: no visits, attempts, times or ids. */
function canonical({ steps, artifacts }: StateDocument): unknown {
  return {
    steps: Object.entries(steps).map(([id, { status, output }]) => [
      id,
      status,
      (output as unknown as Output).value,
    ]),
    artifacts: artifacts.map(({ path, sha256, producedBy }) => [path, sha256, producedBy]),
  }
}

/** Every step has read what its dependencies finally made, not what an earlier visit had made. */
function expectFresh(flow: Flow, { steps }: StateDocument): void {
  const read = Object.entries(steps).map(([id, { output }]) => [id, (output as unknown as Output).read])
  const final = flow.steps.map((plan, index) => [
    name(index),
    Object.fromEntries(plan.dependsOn.map((before) => [name(before), steps[name(before)]?.visit])),
  ])
  expect(read).toEqual(final)
}

/** The step itself and all that depends on it: what a return to it makes out of date. */
function ahead(flow: Flow, index: number): readonly string[] {
  return flow.steps.flatMap((_, other) => (behind(flow, other).includes(index) ? [name(other)] : []))
}

/** What is wrong with the order of events, by a reading of its own: nothing starts out of turn, all ends done. */
function disorder(flow: Flow, events: readonly WorkflowEvent[]): readonly string[] {
  const problems: string[] = []
  const check = (holds: boolean, problem: string): void => {
    if (!holds) problems.push(problem)
  }
  const done = new Set<string>()
  /** Done before a gate sent work back: a step that waits for a gate inside the loop may be done again with it. */
  const mayRepeat = new Set<string>()
  const inFlight = new Set<string>()
  const finished = new Set<string>()
  for (const event of events) {
    if (event.kind === 'workflow_resume') inFlight.clear()
    if (event.kind === 'step_start') {
      const { dependsOn } = flow.steps[indexOf(event)] as Plan
      check(!inFlight.has(event.step), `${event.step} starts twice at once`)
      check(!done.delete(event.step) || mayRepeat.delete(event.step), `${event.step} was done`)
      for (const before of dependsOn)
        check(done.has(name(before)), `${event.step} starts before ${name(before)}`)
      inFlight.add(event.step)
      check(inFlight.size <= flow.maxConcurrentSteps, `${event.step} has no place`)
    } else if (endsAttempt(event)) {
      inFlight.delete(event.step)
      if (event.kind === 'step_finish') {
        check(!finished.has(`${event.step}#${event.visit}`), `${event.step}#${event.visit} finishes twice`)
        finished.add(`${event.step}#${event.visit}`)
        done.add(event.step)
      } else if (event.kind === 'gate_result') {
        for (const stale of ahead(flow, target(flow, indexOf(event)))) done.delete(stale)
        for (const step of done) mayRepeat.add(step)
      }
    }
  }
  for (const index of flow.steps.keys()) check(done.has(name(index)), `${name(index)} is not done`)
  return problems
}

function endsAttempt(
  event: WorkflowEvent,
): event is EventOf<'step_finish' | 'step_fail' | 'step_retry' | 'gate_result'> {
  if (event.kind === 'gate_result') return event.route.to === 'loop'
  return event.kind === 'step_finish' || event.kind === 'step_fail' || event.kind === 'step_retry'
}

function indexOf(event: { readonly step: string }): number {
  return Number(event.step.slice(1))
}

async function undisturbed(flow: Flow): Promise<Ran & { readonly calls: readonly string[] }> {
  const world: World = { flow, calls: [], fault: undefined }
  return { ...(await runUntilCompleted(world, createVirtualFiles())), calls: world.calls }
}

test(
  'every step of any workflow completes once per visit, after all it depends on, within the limit of places',
  async () => {
    await fc.assert(
      fc.asyncProperty(flows, async (flow) => {
        const { bench, state, calls } = await undisturbed(flow)
        expect(disorder(flow, bench.events)).toEqual([])
        expectFresh(flow, state)
        expect(calls).toEqual([...new Set(calls)])
      }),
      { seed: seed + 1, numRuns: 40 },
    )
  },
  timeoutMs,
)

test(
  'any single fault, and resumes until it has passed, leave what an undisturbed run leaves',
  async () => {
    await fc.assert(
      fc.asyncProperty(faultyFlows, async ({ flow, fault }) => {
        const { state, bench } = await runUntilCompleted({ flow, calls: [], fault }, createVirtualFiles())
        expect(disorder(flow, bench.events)).toEqual([])
        expectFresh(flow, state)
        expect(canonical(state)).toEqual(canonical((await undisturbed(flow)).state))
      }),
      { seed: seed + 2, numRuns: 40 },
    )
  },
  timeoutMs,
)

/** Before which of the operations that change something the first process dies, and those that recover its run. */
const deaths = fc.array(fc.noBias(fc.nat(99_999)), { minLength: 1, maxLength: 3 })
/** Of one kind each: what a power loss after a kill takes is a matter of `durability.test.ts`. */
const outcomes = fc.constantFrom('kill' as const, 'power-min' as const)
const isChange = (operation: string): boolean => !/^(?:stat|read|list)\b/.test(operation)

test(
  'deaths at any file operation, of the run and of its recovery, leave what an undisturbed run leaves',
  async () => {
    await fc.assert(
      fc.asyncProperty(flows, deaths, outcomes, async (flow, numbers, outcome) => {
        const expected = await undisturbed(flow)
        const world: World = { flow, calls: [], fault: undefined }
        const changes = expected.bench.trace.filter(isChange).length
        let disk = createVirtualFiles()
        for (const [index, number] of numbers.entries()) {
          // A recovery changes some twenty things before its run goes on.
          await liveUntil(world, disk, number % (index === 0 ? changes : 25))
          disk = disk.afterCrash(outcome)
        }
        const { state } = await runUntilCompleted(world, disk)
        expectFresh(flow, state)
        expect(canonical(state)).toEqual(canonical(expected.state))
      }),
      { seed: seed + 3, numRuns: 50 },
    )
  },
  timeoutMs,
)

/** Starts or recovers the flow; the disk answers no more after so many changes, as if the process had died there. */
async function liveUntil(world: World, files: VirtualFiles, changes: number): Promise<void> {
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
  await liveOnce(world, engineBench(dying), died.promise)
}

test(
  'the same workflow with the same seed writes the same bytes again',
  async () => {
    await fc.assert(
      fc.asyncProperty(faultyFlows, async ({ flow, fault }) => {
        const logs = await Promise.all(
          ['first', 'second'].map(async () => {
            const files = createVirtualFiles()
            const world: World = { flow, calls: [], fault }
            const life = engineBench(files).life(agentsOf(world), gateOf(world), 'the same owner')
            await life.start(workflowOf(flow), { seed: 7 })
            await life.runThroughTime()
            return [...files.snapshotFiles()].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)])
          }),
        )
        expect(logs[0]).toEqual(logs[1])
      }),
      { seed: seed + 4, numRuns: 20 },
    )
  },
  timeoutMs,
)
