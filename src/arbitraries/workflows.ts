import fc from 'fast-check'
import type { AgentStep, AgentWorkflow } from '../engine/index.ts'

export const workflowShapes = ['chain', 'fan', 'diamond', 'dag', 'loop'] as const

/**
 * - `chain`: one step after the other
 * - `fan`: steps side by side, then one that joins them
 * - `diamond`: one step, steps side by side, one that joins them
 * - `dag`: any graph without cycles
 * - `loop`: a chain in which a gate may send work back
 */
export type WorkflowShape = (typeof workflowShapes)[number]

export interface WorkflowsOptions {
  /** Default all. */
  readonly shapes?: readonly WorkflowShape[]
  /** Default 6, at least 3. */
  readonly maxSteps?: number
  /** Name of the agent of every step. Default `worker`. */
  readonly agent?: string
}

/**
 * Workflows that complete with mock agents. Steps are called `s0`, `s1`, ..., depend on lower ones, and create at most one file
 * each, which those that depend on them require. Shrinks within its shape to fewer steps, fewer dependencies, no retries.
 *
 * @example fc.asyncProperty(workflows({ shapes: ['dag'] }), async (workflow) => { ... defineWorkflow(workflow) ... })
 */
export function workflows(options: WorkflowsOptions = {}): fc.Arbitrary<AgentWorkflow> {
  const { shapes = workflowShapes, agent = 'worker' } = options
  const maxSteps = Math.max(3, options.maxSteps ?? 6)
  return fc
    .record({
      graph: fc.oneof(...shapes.map((shape) => graphs(shape, maxSteps))),
      maxConcurrentSteps: fc.integer({ min: 1, max: 4 }),
    })
    .map(({ graph, maxConcurrentSteps }) => ({
      id: 'any-workflow',
      settings: { maxConcurrentSteps, retryDelayMs: 10 },
      steps: stepsOf(graph, agent),
    }))
}

interface Graph {
  readonly steps: readonly DrawnStep[]
  readonly loop?: { readonly gated: number; readonly back: number; readonly maxLoops: number }
}

interface DrawnStep {
  /** Steps that it depends on, all lower. */
  readonly before: readonly number[]
  readonly creates: boolean
  readonly retries: number
}

const fewest: Readonly<Record<WorkflowShape, number>> = { chain: 1, fan: 3, diamond: 3, dag: 1, loop: 1 }

/** Drawn as one list, and not its size first, so that it shrinks well. */
function graphs(shape: WorkflowShape, maxSteps: number): fc.Arbitrary<Graph> {
  const drawn = fc.record({ creates: fc.boolean(), retries: fc.nat(2), bits: fc.nat(2 ** maxSteps - 1) })
  const steps = fc
    .array(drawn, { minLength: fewest[shape], maxLength: maxSteps })
    .map((all) =>
      all.map(({ bits, ...rest }, index) => ({ ...rest, before: before(shape, index, all.length, bits) })),
    )
  if (shape !== 'loop') return steps.map((all) => ({ steps: all }))
  const gate = fc.record({
    gated: fc.nat(maxSteps - 1),
    by: fc.nat(maxSteps - 1),
    maxLoops: fc.integer({ min: 1, max: 3 }),
  })
  return fc.record({ steps, gate }).map(({ steps: all, gate: { gated: drawnGated, by, maxLoops } }) => {
    const gated = drawnGated % all.length
    return { steps: all, loop: { gated, back: Math.max(0, gated - by), maxLoops } }
  })
}

function before(shape: WorkflowShape, index: number, size: number, bits: number): readonly number[] {
  const lower = Array.from({ length: index }, (_, each) => each)
  const isLast = index === size - 1
  switch (shape) {
    case 'chain':
    case 'loop':
      return lower.slice(-1)
    case 'fan':
      return isLast ? lower : []
    case 'diamond':
      return isLast ? lower.slice(1) : lower.slice(0, 1)
    case 'dag':
      // One bit for each lower step: without cycles by construction.
      return lower.filter((each) => Math.floor(bits / 2 ** each) % 2 === 1)
  }
}

function stepsOf({ steps, loop }: Graph, agent: string): readonly AgentStep[] {
  const fileOf = (index: number): readonly string[] =>
    steps[index]?.creates === true ? [`out/${nameOf(index)}.txt`] : []
  return steps.map(({ before: lower, retries }, index) => ({
    id: nameOf(index),
    agent,
    dependsOn: lower.map(nameOf),
    requires: lower.flatMap(fileOf),
    creates: fileOf(index),
    ...(retries === 0 ? {} : { retries }),
    ...(loop?.gated === index
      ? {
          scoring: { thresholds: { overall_min: 70 } },
          gate: { condition: 'scoring.passed', onFail: nameOf(loop.back), maxLoops: loop.maxLoops },
        }
      : {}),
  }))
}

function nameOf(index: number): string {
  return `s${index}`
}
