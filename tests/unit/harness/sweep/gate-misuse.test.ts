import { expect, test, vi } from 'vitest'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import { isFaultlineError } from '../../../../src/core/index.ts'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import { createProject, sweepFaults } from '../../../../src/harness/index.ts'
import type { SweepOptions, SweepReport } from '../../../../src/harness/index.ts'
import type { GateRequest } from '../../../../src/ports/index.ts'
import { altered, withIncarnation } from './altered-engine.ts'

// However busy the machine is.
vi.setConfig({ testTimeout: 600_000 })

const one = { id: 'one', agent: 'writer' }
const two = { id: 'two', agent: 'writer', requiresSteps: ['one'] }
const checked: AgentWorkflow = { id: 'checked', steps: [{ ...one, gate: { condition: 'true' } }, two] }
const reviewed: AgentWorkflow = { id: 'reviewed', steps: [{ ...one, gate: { human: true } }, two] }
const operator = { answers: { one: { passed: true, reason: 'well done' } } }

async function swept(workflow: AgentWorkflow, options: SweepOptions = {}): Promise<SweepReport> {
  const project = await createProject({ storage: 'memory' })
  const agents = { writer: () => null }
  return sweepFaults(defineWorkflow(workflow), { project, agents, families: ['gate'], ...options })
}

const fault = 'answers-otherwise-later'

test('an answer that stands is not asked for again, by whomever it was given', async () => {
  const decided = await swept(checked)
  expect(decided.findings).toEqual([])
  expect(decided.matrix.map(({ cells }) => cells[fault])).toEqual(['survived'])
  const answered = await swept(reviewed, { operator })
  expect(answered.findings).toEqual([])
  expect(answered.matrix.map(({ at, cells }) => [at, cells[fault]])).toEqual([
    ['2/one#1@1:gate.answer:one#1', 'survived'],
  ])
})

test('nobody goes on after the last step, whatever is said then', async () => {
  const { matrix, findings } = await swept({ id: 'last', steps: [{ ...one, gate: { condition: 'true' } }] })
  expect(findings).toEqual([])
  expect(matrix.map(({ cells }) => Object.keys(cells))).toEqual([
    ['gate-failure fail injected by the sweep', 'gate-failure throw injected by the sweep', 'never-answers'],
  ])
})

test('an engine that asks a gate again in its next process is found, and its plan can be run again', async () => {
  const asksAgain = altered(
    (ports) => ports,
    (life, { gates }) => ({
      ...life,
      async recover(request) {
        const report = await life.recover(request)
        if (life.state().steps['one']?.status !== 'completed') return report
        const again = { step: 'one', visit: 1, attempt: 2, gate: { condition: 'true' } }
        const { passed } = await gates.decide(again as Partial<GateRequest> as GateRequest)
        if (!passed) await life.cancel('the gate is of another mind')
        return report
      },
    }),
  )
  const { findings } = await swept(checked, { driver: asksAgain })
  expect(findings.map(({ faults }) => faults)).toEqual([
    [{ family: 'gate', at: '1/one#1@1:gate.decide:one#1', fault }],
  ])
  expect(findings[0]?.violations.map(({ invariant }) => invariant)).toContain('O1')
  expect(findings[0]?.minimised?.faults).toEqual(findings[0]?.faults)
})

test('an engine that takes another answer in its next process is found, and its plan can be run again', async () => {
  const driver = withIncarnation((life) => ({
    ...life,
    async recover({ answers, ...request }) {
      try {
        return await life.recover({ ...request, ...(answers && { answers }) })
      } catch (error) {
        if (!isFaultlineError(error, 'GATE_NOT_WAITING')) throw error
        return life.recover(request)
      }
    },
  }))
  const { findings } = await swept(reviewed, { driver, operator })
  expect(findings.map(({ faults }) => faults)).toEqual([
    [{ family: 'gate', at: '2/one#1@1:gate.answer:one#1', fault }],
  ])
  expect(findings[0]?.violations).toContainEqual({
    invariant: 'interference',
    sentence: `The gate of step 'one' could be answered again in a later process.`,
  })
  expect(findings[0]?.minimised?.faults).toEqual(findings[0]?.faults)
})

const at = '2/one#1@1:gate.answer:one#1'

test('a run that is cancelled while it waits takes no answer any more', async () => {
  const { findings, matrix } = await swept(
    { id: 'last', steps: [{ ...one, gate: { human: true } }] },
    { operator },
  )
  expect(findings).toEqual([])
  expect(matrix).toEqual([
    { family: 'gate', at, cells: { 'answers-twice': 'survived', 'answers-after-cancel': 'survived' } },
  ])
})

test.each<[string, Parameters<typeof altered>[1], string]>([
  [
    'notes an answer that comes too late',
    (life, { files }) => ({
      ...life,
      async recover(request) {
        try {
          return await life.recover(request)
        } catch (error) {
          if (request.answers) await files.perform({ op: 'write', path: 'late.txt', data: 'an answer' })
          throw error
        }
      },
    }),
    `An answer to the gate of step 'one' changed what is on disk after the run had been cancelled.`,
  ],
  [
    'does not hear that it is cancelled',
    (life) => ({ ...life, recover: ({ cancel: _cancel, ...request }) => life.recover(request) }),
    `The run could not be cancelled while the gate of step 'one' waited.`,
  ],
])('an engine that %s is found, and its plan can be run again', async (_title, changed, sentence) => {
  const driver = altered((ports) => ports, changed)
  const { findings } = await swept(reviewed, { driver, operator })
  const found = findings.find(
    ({ faults: [first] }) => first && 'fault' in first && first.fault === 'answers-after-cancel',
  )
  expect(found?.faults).toEqual([{ family: 'gate', at, fault: 'answers-after-cancel' }])
  expect(found?.violations).toContainEqual({ invariant: 'interference', sentence })
  expect(found?.minimised?.faults).toEqual(found?.faults)
})
