import { expect, test } from 'vitest'
import {
  defineWorkflow,
  loadWorkflow,
  missingRequiredFile,
} from '../../../../src/engine/definitions/index.ts'
import { loadText } from './load.ts'

const text = `id: flow
steps:
  - id: build
    agent: x
    requires: [spec.md, assets/]
    creates: [out/]
  - id: amend
    agent: y
    requires:
      - out/app.js
      - notes.md
    creates: [notes.md]
`

test('only files that no other step creates are looked for', async () => {
  const asked: string[] = []
  const exists = (path: string): boolean => asked.push(path) > 0
  expect(missingRequiredFile(await loadText(text), exists)).toBeUndefined()
  expect(asked).toEqual(['spec.md', 'assets/', 'notes.md'])
})

test('every missing file is named with its place and step', async () => {
  const error = missingRequiredFile(await loadText(text), (path) => path === 'spec.md')
  expect(error?.code).toBe('REQUIRED_FILE_MISSING')
  expect(error?.message).toMatchInlineSnapshot(`
    "flow.yaml:5: step 'build' requires the folder 'assets/', which no other step creates and which is not in the project. Put it there, or name it in the 'creates' of the step that writes it.
    flow.yaml:11: step 'amend' requires the file 'notes.md', which no other step creates and which is not in the project. Put it there, or name it in the 'creates' of the step that writes it."
  `)
  expect(error?.details).toMatchInlineSnapshot(`
    {
      "missing": [
        {
          "path": "assets/",
          "place": "flow.yaml:5",
          "step": "build",
        },
        {
          "path": "notes.md",
          "place": "flow.yaml:11",
          "step": "amend",
        },
      ],
      "path": "assets/",
      "step": "build",
    }
  `)
})

test('more than five missing files are counted', async () => {
  const requires = Array.from({ length: 8 }, (_, index) => `file-${index}`)
  const loaded = await loadWorkflow(
    defineWorkflow({ id: 'flow', steps: [{ id: 'a', agent: 'x', requires }] }),
  )
  const lines = missingRequiredFile(loaded, () => false)?.message.split('\n') ?? []
  expect(lines).toHaveLength(6)
  expect(lines[0]).toMatch(/^workflow 'flow': step 'a' requires the file 'file-0', /)
  expect(lines[5]).toBe('and 3 more')
})
