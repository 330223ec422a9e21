import { expect, test } from 'vitest'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import { createProject, sweepFaults } from '../../../../src/harness/index.ts'

const workflow = defineWorkflow({
  id: 'in-place',
  steps: [{ id: 'build', agent: 'command', creates: ['dist/'], parameters: { command: ['make', 'dist'] } }],
})

test('a program that writes in place survives every crash and disk error, also between its start and its record', async () => {
  const { findings, families } = await sweepFaults(workflow, {
    project: await createProject({ storage: 'memory' }),
    agents: {},
    programs: {
      async make({ parameters: [folder], write }) {
        await write(`${folder}/a.txt`, 'first part')
        await write(`${folder}/b.txt`, 'second part')
      },
    },
  })
  expect(findings).toEqual([])
  // The program's own writes are among the places of a crash.
  expect(families.crash?.points).toBeGreaterThan(20)
}, 600_000)
