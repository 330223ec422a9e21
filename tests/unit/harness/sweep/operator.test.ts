import { describe, expect, test } from 'vitest'
import type { WorkflowSource } from '../../../../src/engine/index.ts'
import { createProject, sweepFaults } from '../../../../src/harness/index.ts'
import type { SweepOptions, SweepReport } from '../../../../src/harness/index.ts'
import { shapeAgents as agents, workflowShapes } from '../../../support/workflow-shapes.ts'
import { altered, withIncarnation } from './altered-engine.ts'

const timeout = 300_000

function shaped(name: string): WorkflowSource {
  const shape = workflowShapes.find((each) => each.name === name)
  if (shape === undefined) throw new Error(`no shape '${name}'`)
  return shape.workflow
}

async function sweep(name: string, options: SweepOptions): Promise<SweepReport> {
  const project = await createProject({ storage: 'memory' })
  return sweepFaults(shaped(name), { project, agents, ...options })
}

describe('a run that waits for people', () => {
  test.each([
    ['human gate', `operator: { answers: { <step>: true } }`],
    ['pause', `operator: { input: { ... } }`],
  ])('cannot be swept before it is said what they do: %s', async (name, hint) => {
    await expect(sweep(name, {})).rejects.toMatchObject({
      code: 'SWEEP_IMPOSSIBLE',
      message: expect.stringContaining(hint),
    })
  })

  test('has points after they have come, too', { timeout }, async () => {
    const { matrix, findings } = await sweep('human gate', {
      operator: { answers: { review: { passed: true, reason: 'well done' } } },
      families: ['gate', 'crash', 'lifecycle'],
    })
    expect(findings).toEqual([])
    const inSecondLife = matrix.filter(({ at }) => at.startsWith('2/'))
    expect([...new Set(inSecondLife.map(({ family }) => family))]).toEqual(['gate', 'crash', 'lifecycle'])
    expect(matrix[0]).toEqual({
      family: 'gate',
      at: '2/review#1@1:gate.answer:review#1',
      cells: {
        'answers-twice': 'survived',
        'answers-otherwise-later': 'survived',
        'answers-after-cancel': 'survived',
      },
    })
  })

  test('and an engine that takes a second answer is found', { timeout }, async () => {
    const driver = withIncarnation((life) => ({ ...life, answerGate: () => {} }))
    const { findings } = await sweep('human gate', {
      operator: { answers: { review: true } },
      families: ['gate'],
      driver,
    })
    expect(findings[0]?.violations).toEqual([
      { invariant: 'interference', sentence: `The gate of step 'review' took a second answer.` },
    ])
    expect(findings[0]?.minimised?.faults).toEqual(findings[0]?.faults)
  })

  test.each([
    [
      'refuses a second answer and changes the disk',
      altered(
        (ports) => ports,
        (life, { files }) => ({
          ...life,
          async answerGate(step, decision) {
            await files.perform({ op: 'write', path: 'second-answer.txt', data: String(decision.passed) })
            return life.answerGate(step, decision)
          },
        }),
      ),
      `A second answer to the gate of step 'review' was refused and changed what is on disk.`,
    ],
    [
      'stumbles over a second answer',
      withIncarnation((life) => ({
        ...life,
        answerGate() {
          throw new TypeError('no such gate')
        },
      })),
      `A second answer to the gate of step 'review' was refused for another reason: no such gate`,
    ],
  ])('and an engine that %s is found', { timeout }, async (_title, driver, sentence) => {
    const { findings } = await sweep('human gate', {
      operator: { answers: { review: true } },
      families: ['gate'],
      driver,
      minimise: false,
    })
    expect(findings[0]?.violations).toContainEqual({ invariant: 'interference', sentence })
  })
})
