import fc from 'fast-check'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import type { GraphNode, WorkflowSource } from '../../../../src/engine/index.ts'
import type { Agent, GatePort } from '../../../../src/ports/index.ts'
import type { StateDocument } from '../../../../src/trace/index.ts'
import type { ModelCondition, ModelFlow, ModelOutcome, ModelStep } from '../../../support/flow-model.ts'

export interface RandomFlow extends ModelFlow {
  readonly maxConcurrentSteps: number
  readonly steps: readonly (ModelStep & {
    readonly sleepMs: number
    /** Of an attempt. */
    readonly limitMs: number | undefined
  })[]
  readonly retryDelayMs?: number
  readonly cancelGraceMs?: number
  /** A step that asks for input which is not there at first. */
  readonly asking?: number
}

export interface FlowOptions {
  readonly joinsAny: boolean
  readonly goesOnAfterFailure: boolean | undefined
  readonly mostConcurrentSteps: number
}

const often = <T>(usual: T, others: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 3 }, { arbitrary: fc.constantFrom(...others), weight: 2 })

const conditions: fc.Arbitrary<ModelCondition | undefined> = fc.oneof(
  { arbitrary: fc.constant(undefined), weight: 5 },
  {
    arbitrary: fc.constantFrom<ModelCondition>(
      'true',
      'false',
      'on_success',
      'on_failure',
      'has_failures',
      'always',
    ),
    weight: 4,
  },
  { arbitrary: fc.constant<ModelCondition>('error'), weight: 1 },
)

/** Steps by number; connections lead to higher ones. */
export function randomFlows(options: FlowOptions): fc.Arbitrary<RandomFlow> {
  return fc.integer({ min: 2, max: 7 }).chain((size) => {
    const numbers = Array.from({ length: size }, (_, step) => step)
    const pairs = numbers.flatMap((to) => numbers.slice(0, to).map((from) => ({ from, to })))
    return fc
      .record({
        goesOnAfterFailure:
          options.goesOnAfterFailure === undefined ? fc.boolean() : fc.constant(options.goesOnAfterFailure),
        maxConcurrentSteps: fc.integer({ min: 1, max: options.mostConcurrentSteps }),
        chosen: fc.subarray(pairs, { minLength: Math.min(size - 1, pairs.length) }),
        connectionConditions: fc.array(conditions, { minLength: pairs.length, maxLength: pairs.length }),
        steps: fc.tuple(...numbers.map(() => randomStep(options))),
      })
      .map(({ goesOnAfterFailure, maxConcurrentSteps, chosen, connectionConditions, steps }) => {
        const edges = chosen.map((pair, index) => ({ ...pair, condition: connectionConditions[index] }))
        return {
          goesOnAfterFailure,
          maxConcurrentSteps,
          edges,
          steps: steps.map(({ back, ...step }, index) => ({
            ...step,
            gate: gateOf(step, back, index, edges),
          })),
        }
      })
  })
}

type DrawnGate = { readonly refusals: number; readonly maxLoops: number } | undefined

function randomStep({ joinsAny }: FlowOptions) {
  return fc.record({
    condition: conditions,
    joinsAny: joinsAny ? often(false, [true]) : fc.constant(false),
    tolerated: often(false, [true]),
    retries: fc.nat(2),
    failures: often(0, [1, 2, Infinity]),
    findings: often(false, [true]),
    sleepMs: fc.constantFrom(0, 0, 3, 20),
    limitMs: often<number | undefined>(undefined, [10]),
    gate: often<DrawnGate>(undefined, [
      { refusals: 1, maxLoops: 1 },
      { refusals: 2, maxLoops: 3 },
      { refusals: 2, maxLoops: 1 },
    ]),
    back: fc.nat(9),
  })
}

/** A gate returns to the step itself or to one that leads to it. */
function gateOf(
  { gate }: { readonly gate: DrawnGate },
  back: number,
  step: number,
  edges: readonly { readonly from: number; readonly to: number }[],
): ModelStep['gate'] {
  if (gate === undefined) return undefined
  const behind = new Set([step])
  for (const each of behind) for (const { from, to } of edges) if (to === each) behind.add(from)
  const places = [...behind].sort((left, right) => left - right)
  return { ...gate, target: places[back % places.length] as number }
}

/** For the model, a step that never ends within its limit is one that always fails. */
export function modelOf(flow: RandomFlow): ModelFlow {
  const steps = flow.steps.map((step) =>
    step.sleepMs >= (step.limitMs ?? Infinity) ? { ...step, failures: Infinity } : step,
  )
  return { ...flow, steps }
}

export const nameOf = (step: number): string => `s${step}`

export function workflowOf({
  steps,
  edges,
  goesOnAfterFailure,
  maxConcurrentSteps,
  retryDelayMs = 0,
  cancelGraceMs = 0,
  asking,
}: RandomFlow): WorkflowSource {
  return defineWorkflow({
    id: 'random',
    settings: {
      maxConcurrentSteps,
      retryDelayMs,
      cancelGraceMs,
      onStepFailure: goesOnAfterFailure ? 'continue' : 'stop',
    },
    nodes: steps.map(({ condition, joinsAny, tolerated, retries, gate, limitMs }, step): GraphNode => ({
      id: nameOf(step),
      type: 'worker',
      retries,
      ...(limitMs === undefined ? {} : { timeoutMs: limitMs }),
      ...(asking === step ? { parameters: { value: '${input.later}' } } : {}),
      ...(condition === undefined ? {} : { condition: stepConditions[condition] }),
      ...(joinsAny ? { join: 'any' } : {}),
      ...(tolerated ? { continueOnError: true } : {}),
      ...(gate === undefined
        ? {}
        : { gate: { condition: 'true', onFail: nameOf(gate.target), maxLoops: gate.maxLoops } }),
    })),
    connections: edges.map(({ from, to, condition }) => ({
      source: nameOf(from),
      target: nameOf(to),
      ...(condition === undefined ? {} : { condition: connectionConditions[condition] }),
    })),
  })
}

const names = {
  on_success: 'on_success',
  on_failure: 'on_failure',
  has_failures: 'has_failures',
  always: 'always',
} as const
const stepConditions = { ...names, true: 'input.yes', false: '!input.yes', error: 'input.nothing' }
const connectionConditions = { ...names, true: 'yes == true', false: 'yes == false', error: 'nothing == 1' }

/** What outlives every engine life. */
export interface FlowWorld {
  readonly calls: number[]
  /** Calls as the agents saw them, with the life that made them. */
  readonly executions: { step: string; visit: number; attempt: number; incarnation: number }[]
  life: number
  /** When the last life ended. */
  now: number
}

export function newWorld({ steps }: RandomFlow): FlowWorld {
  return { calls: steps.map(() => 0), executions: [], life: 1, now: 0 }
}

export function workerOf(flow: RandomFlow, world: FlowWorld): Agent {
  return async ({ step, visit, attempt, clock }) => {
    const index = Number(step.slice(1))
    const { failures, findings, sleepMs } = flow.steps[index] as RandomFlow['steps'][number]
    const call = ((world.calls[index] as number) += 1)
    world.executions.push({ step, visit, attempt, incarnation: world.life })
    await clock.sleep(sleepMs)
    if (call <= failures) throw new Error('not today')
    return { yes: true, ...(findings ? { failures: ['found'] } : {}) }
  }
}

export function gatesOf(flow: RandomFlow): GatePort {
  return {
    decide: async ({ step, visit }) => ({
      passed: visit > (flow.steps[Number(step.slice(1))]?.gate?.refusals ?? 0),
    }),
  }
}

/** What a run came to, in the words of the model. */
export function outcomeOf({
  status,
  degraded,
  hasFailures,
  steps,
  activeConnections,
}: StateDocument): Omit<ModelOutcome, 'calls'> {
  return {
    status: status as ModelOutcome['status'],
    degraded: degraded === true,
    hasFailures: hasFailures === true,
    steps: Object.values(steps).map((step) => step.skipped?.reason ?? step.status),
    taken: (activeConnections ?? []).map(({ from, to }) => `${from.slice(1)}>${to.slice(1)}`),
  }
}
