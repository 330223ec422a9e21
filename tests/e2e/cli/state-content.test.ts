import { expect, test } from 'vitest'
import { project, stateOf } from '../../support/run-folder.ts'
import { reviewed } from '../../support/workflows.ts'

const input = { feature: 'notes', requirements: ['short'], success: { words: 100 } }

test('state.json says which workflow of which file, where it stands and since when, and what it was given', () => {
  const folder = project({ 'flow.yaml': reviewed.yaml })
  const given = ['--mock', '--clock', 'virtual', '--mock-delay', '40', '--input', JSON.stringify(input)]
  expect(folder.faultline('run', 'flow.yaml', ...given, '--fault', 'agent-error:build').code).toBe(1)
  const failed = stateOf(folder)
  expect(failed).toMatchObject({
    workflowId: 'note',
    launch: { file: 'flow.yaml' },
    currentSteps: ['build'],
    input,
  })
  const { startedAt, steps } = failed as unknown as {
    readonly startedAt: number
    readonly steps: Readonly<Record<string, { readonly attempts: readonly { readonly startedAt: number }[] }>>
  }
  expect(steps['build']?.attempts.map((attempt) => attempt.startedAt - startedAt)).toEqual([40])
  expect(folder.faultline('resume').code).toBe(0)
  expect(stateOf(folder)).toMatchObject({ launch: { file: 'flow.yaml' }, currentSteps: [], input })
})
