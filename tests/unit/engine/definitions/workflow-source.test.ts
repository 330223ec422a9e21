import { expect, test } from 'vitest'
import { defineWorkflow, workflowFromText } from '../../../../src/engine/definitions/index.ts'

test('defineWorkflow takes a frozen copy and leaves what it was given alone', () => {
  const step = { id: 'a', agent: 'x', creates: ['one'] }
  const source = defineWorkflow({ id: 'flow', steps: [step, step] })
  step.creates.push('two')
  expect(JSON.stringify(source)).toBe(
    '{"kind":"workflow-source","value":{"id":"flow","steps":[{"id":"a","agent":"x","creates":["one"]},{"id":"a","agent":"x","creates":["one"]}]}}',
  )
  expect(Object.isFrozen(step)).toBe(false)
  const copy = source.value as { readonly steps: readonly { readonly creates: readonly string[] }[] }
  expect([source, copy, copy.steps, copy.steps[0], copy.steps[0]?.creates].map(Object.isFrozen)).toEqual(
    Array.from({ length: 5 }, () => true),
  )
})

test('workflowFromText keeps the text and the name of its file', () => {
  expect(workflowFromText('id: a', 'flows/a.yaml')).toEqual({
    kind: 'workflow-source',
    value: undefined,
    text: 'id: a',
    file: 'flows/a.yaml',
  })
})

test('a mistyped key is a compile error', () => {
  // @ts-expect-error -- the key is dependsOn or depends_on
  const source = defineWorkflow({ id: 'flow', steps: [{ id: 'a', agent: 'x', dependOn: [] }] })
  expect(source.kind).toBe('workflow-source')
})
