import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import type { JsonValue } from '../../../../src/core/index.ts'
import { workflowFromText } from '../../../../src/engine/index.ts'
import type { Agent } from '../../../../src/ports/index.ts'
import type { StateDocument, WorkflowEvent } from '../../../../src/trace/index.ts'
import { engineBench } from '../../../support/engine-run.ts'
import type { EngineBench, EngineLifeUnderTest } from '../../../support/engine-run.ts'

/** What the agents of a test do, by step: an output, or a message to throw. A step that is not named returns null. */
export type Acts = Readonly<Record<string, { readonly output?: JsonValue; readonly throws?: string } | Agent>>

export interface FlowRun {
  readonly bench: EngineBench
  readonly life: EngineLifeUnderTest
  readonly state: StateDocument
  readonly events: readonly WorkflowEvent[]
  /** Steps in the order in which their agents were called. */
  readonly calls: readonly string[]
}

/** Runs a workflow to its end on a disk in memory; every agent name is known. */
export async function runFlow(yaml: string, acts: Acts = {}, input: JsonValue = null): Promise<FlowRun> {
  const bench = engineBench(createVirtualFiles())
  const calls: string[] = []
  const life = bench.life(agentsOf(acts, calls))
  await life.start(workflowFromText(yaml, 'flow.yaml'), { input })
  await life.runThroughTime()
  return { bench, life, calls, state: life.incarnation.state(), events: bench.events }
}

/** Takes over what `runFlow` has left, with agents that do something else. */
export async function resumeFlow(before: FlowRun, acts: Acts = {}): Promise<FlowRun> {
  const calls: string[] = []
  const from = before.bench.events.length
  const life = before.bench.life(agentsOf(acts, calls))
  await life.incarnation.recover({})
  await life.runThroughTime()
  const events = before.bench.events.slice(from)
  return { bench: before.bench, life, calls, state: life.incarnation.state(), events }
}

/** One function under every name. */
export function agentsOf(acts: Acts, calls: string[]): Readonly<Record<string, Agent>> {
  const perform: Agent = (context) => {
    calls.push(context.step)
    const act = acts[context.step]
    if (typeof act === 'function') return act(context)
    if (act?.throws !== undefined) throw new Error(act.throws)
    return act?.output ?? null
  }
  return new Proxy({}, { get: () => perform, getOwnPropertyDescriptor: () => ({ configurable: true }) })
}

/** `a:completed b:skipped(condition_false)`. */
export function endings({ steps }: StateDocument): string {
  return Object.entries(steps)
    .map(
      ([id, { status, skipped }]) => `${id}:${status}${skipped === undefined ? '' : `(${skipped.reason})`}`,
    )
    .join(' ')
}
