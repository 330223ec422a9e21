import { expect, test, vi } from 'vitest'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import { createProject, sweepFaults } from '../../../../src/harness/index.ts'
import type { SweepReport } from '../../../../src/harness/index.ts'
import type { Agents } from '../../../../src/ports/index.ts'

// However busy the machine is.
vi.setConfig({ testTimeout: 600_000 })

const workflow = defineWorkflow({
  id: 'asking',
  steps: [
    { id: 'ask', agent: 'asker', retries: 1 },
    { id: 'write', agent: 'writer', dependsOn: 'ask', creates: ['answer.txt'] },
  ],
})

/** Asks a service twice, and takes no for an answer or does not. */
async function sweep(takesNoForAnAnswer: boolean): Promise<SweepReport> {
  const agents: Agents = {
    async asker({ http }) {
      const answers: string[] = []
      for (const question of ['first', 'second']) {
        try {
          const { status, body } = await http.request({
            url: 'http://oracle.test/',
            method: 'POST',
            body: question,
          })
          const text = new TextDecoder().decode(body)
          if (status !== 200 || text !== 'forty-two') throw new Error(`the oracle says ${status} ${text}`)
          answers.push(text)
        } catch (error) {
          if (!takesNoForAnAnswer) throw error
          answers.push('no answer')
        }
      }
      return { answers }
    },
    async writer({ artifacts, outputs }) {
      await artifacts.write('answer.txt', JSON.stringify(outputs['ask']))
      return null
    },
  }
  return sweepFaults(workflow, {
    project: await createProject({ storage: 'memory' }),
    agents,
    http: () => ({ status: 200, body: 'forty-two' }),
    families: ['network'],
    minimise: false,
  })
}

test('every request is refused, lost, never answered and answered badly, and the run survives', async () => {
  const { families, findings, matrix } = await sweep(false)
  expect(findings).toEqual([])
  expect(families.network).toEqual({ hit: 2, points: 2, counted: 2, scenarios: 10, deduped: 0 })
  expect(matrix.map(({ at }) => at)).toEqual([
    expect.stringMatching(/http\.request:.*#1$/),
    expect.stringMatching(/#2$/),
  ])
})

test('an agent that takes an error for an answer is found', async () => {
  const { findings } = await sweep(true)
  expect(findings).toHaveLength(8)
  expect(findings[0]?.violations[0]?.sentence).toContain('no answer')
})
