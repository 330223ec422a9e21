import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { loadWorkflow, workflowFromText } from '../../../src/engine/index.ts'
import type { JsonValue } from '../../../src/core/index.ts'
import type { Agent, RecoverRequest, TickReport } from '../../../src/ports/index.ts'
import { engineBench, eventWords } from '../../support/engine-run.ts'
import type { EngineBench } from '../../support/engine-run.ts'

const shapes = {
  'a list': `id: f
steps:
  - { id: before, agent: x }
  - { id: greet, agent: x, parameters: { to: "\${input.name}" } }
  - { id: behind, agent: x }
`,
  'a graph': `id: f
nodes:
  - { id: before, type: x }
  - { id: greet, type: x, config: { to: "\${input.name}" } }
  - { id: behind, type: x }
connections:
  - { source: before, target: greet, condition: "true" }
  - { source: greet, target: behind }
`,
  'a pipeline': `services: {}
workflows:
  f:
    steps:
      - { id: before, type: x }
      - { id: greet, type: x, parameters: { to: "\${input.name}" } }
      - { id: behind, type: x, condition: on_success }
`,
}

interface Paused {
  readonly bench: EngineBench
  readonly report: TickReport
  readonly seen: Record<string, unknown>
}

async function runOf(text: string, agents: Readonly<Record<string, Agent>> = {}): Promise<Paused> {
  const bench = engineBench(createVirtualFiles(), { directories: { checkpointDirectory: 'checkpoints' } })
  const seen: Record<string, unknown> = {}
  const life = bench.life({ x: echo(seen), ...agents })
  const { definition } = await loadWorkflow(workflowFromText(text, 'f.yaml'))
  const input: JsonValue = { kept: true }
  await life.incarnation.start({ definition, input, seed: 1, correlationId: 'test', launch: {} })
  return { bench, seen, report: await life.runToEnd() }
}

function echo(seen: Record<string, unknown>): Agent {
  return ({ step, parameters, input }) => {
    seen[step] = { parameters, input }
    return step
  }
}

async function goOn({ bench, seen }: Paused, request: RecoverRequest): Promise<TickReport> {
  const life = bench.life({ x: echo(seen) })
  await life.incarnation.recover(request)
  return life.runToEnd()
}

function starts({ bench }: Paused): readonly string[] {
  return eventWords(bench.events).filter((word) => word.startsWith('step_start'))
}

async function viewOf({ bench }: Paused) {
  return bench.reader.read((await bench.reader.last()) as string)
}

describe.each(Object.entries(shapes))('input that is missing in %s', (_, text) => {
  test('pauses step and run, durably and without an owner, and says to everybody what is missing', async () => {
    const run = await runOf(text)
    expect(run.report.status).toBe('paused')
    const { state, status } = await viewOf(run)
    expect(status).toBe('paused')
    expect(state.steps['greet']).toMatchObject({ status: 'paused', missingVar: 'input.name', attempt: 0 })
    expect(state.currentSteps).toEqual(['greet'])
    expect(run.bench.events.slice(-3)).toMatchObject([
      { kind: 'step_pause', step: 'greet', missingVar: 'input.name' },
      { kind: 'checkpoint', step: 'greet', because: 'pause' },
      { kind: 'workflow_pause', status: 'paused', step: 'greet', missingVar: 'input.name' },
    ])
    expect(run.bench.trace.at(-1)).toBe('remove <run>/lock')
    expect(Object.keys(run.seen)).toEqual(['before'])
  })

  test('is put over the input of a new engine, which runs the paused step itself and nothing again', async () => {
    const run = await runOf(text)
    expect((await goOn(run, { input: { name: 'Ada' } })).status).toBe('completed')
    expect(starts(run)).toEqual(['step_start before#1@1', 'step_start greet#1@1', 'step_start behind#1@1'])
    expect(run.seen['greet']).toEqual({ parameters: { to: 'Ada' }, input: { kept: true, name: 'Ada' } })
    expect((await viewOf(run)).state.input).toEqual({ kept: true, name: 'Ada' })
  })

  test('pauses the run again when it is taken up without it', async () => {
    const run = await runOf(text)
    expect((await goOn(run, {})).status).toBe('paused')
    expect(starts(run)).toHaveLength(1)
  })
})

test('a pause leaves a checkpoint in its directory, which names the state at the pause', async () => {
  const run = await runOf(shapes['a list'])
  const runId = (await run.bench.reader.last()) as string
  const [checkpoint] = await run.bench.reader.checkpoints(runId)
  const { state } = await run.bench.reader.read(runId, checkpoint?.throughSeq)
  expect(state.steps['greet']?.status).toBe('paused')
  expect(
    await run.bench.files.perform({ op: 'read', path: `checkpoints/${runId}/${checkpoint?.name}.json` }),
  ).toBeDefined()
})

test('what another step has not put out is no matter of input: the step fails', async () => {
  const text = shapes['a list'].replace('input.name', 'before.output.name')
  const run = await runOf(text)
  expect(run.report.status).toBe('failed')
  expect((await viewOf(run)).state.error).toMatchObject({ kind: 'missing-input', step: 'greet' })
})

describe('beside a step that pauses', () => {
  const parallel = `id: f
settings: { on_step_failure: STOP }
steps:
  - { id: greet, agent: x, depends_on: [], parameters: { to: "\${input.name}" } }
  - { id: other, agent: y, depends_on: [] }
  - { id: last, agent: x, depends_on: [other], condition: always }
`

  test('others go on, and the run pauses when they are through', async () => {
    const run = await runOf(parallel.replace('STOP', 'stop'), { y: () => 'fine' })
    expect(run.report.status).toBe('paused')
    expect((await viewOf(run)).state.completedSteps).toEqual(['other', 'last'])
  })

  test.each(['stop', 'continue'])('one that fails wins (%s), and both are on record', async (policy) => {
    const run = await runOf(parallel.replace('STOP', policy), {
      y: () => {
        throw new Error('no')
      },
    })
    expect(run.report.status).toBe('failed')
    const { state } = await viewOf(run)
    expect(state.error).toMatchObject({ step: 'other', message: 'no' })
    expect(state.steps).toMatchObject({
      greet: { status: 'paused', missingVar: 'input.name' },
      other: { status: 'failed' },
      last: { status: 'completed' },
    })
    const again = { ...run, seen: {} }
    const life = run.bench.life({ x: echo(again.seen), y: () => 'mended' })
    await life.incarnation.recover({ input: { name: 'Ada' } })
    expect((await life.runToEnd()).status).toBe('completed')
    expect(again.seen).toHaveProperty('greet')
  })
})
