import { describe, expect, test } from 'vitest'
import { isFaultlineError } from '../../../../src/core/index.ts'
import { defineWorkflow, loadWorkflow } from '../../../../src/engine/definitions/index.ts'
import { loadText, refusal, untyped } from './load.ts'

/** A workflow of three steps, one line each from line 3, with more put into the second. */
function withSecondStep(more: string): string {
  return `id: flow
steps:
  - { id: build, agent: x, requires: [], creates: [out/] }
  - { id: review, agent: y, requires: [out/], ${more} }
  - { id: publish, agent: z, requires: [out/] }
`
}

describe('in a step', () => {
  const table: readonly (readonly [string, string])[] = [
    ['next: publsh', `next names no step: 'publsh'. Did you mean 'publish'?`],
    ['next: [publish, nowhere]', `next[1] names no step: 'nowhere'. Known: 'build', 'review', 'publish'.`],
    ['depends_on: [biuld]', `depends_on[0] names no step: 'biuld'. Did you mean 'build'?`],
    ['dependsOn: review', `dependsOn names its own step 'review': a step cannot wait for itself`],
    [
      'gate: { condition: "true", on_pass: publisch }',
      `gate.on_pass names no step: 'publisch'. Did you mean 'publish'?`,
    ],
    [
      'gate: { condition: "true", on_fail: bild }',
      `gate.on_fail names no step: 'bild'. Did you mean 'build'?`,
    ],
    [
      'gate: { condition: "true", on_fail: publish }',
      `gate.on_fail names 'publish', which does not come before 'review': a failed gate can only return to a step that 'review' depends on, or to 'review' itself`,
    ],
    [
      'gate: { condition: "scoring.passed = true" }',
      `gate.condition is not valid CEL at character 16: Unexpected character: = (scoring.passed = true)`,
    ],
    ['gate: { condition: "1 + 1" }', `gate.condition gives int, where true or false is needed: 1 + 1`],
    [
      'gate: { condition: "score > 1" }',
      `gate.condition is not valid CEL at character 1: Unknown variable: score (score > 1)`,
    ],
    [
      `gate: { condition: "steps['bild'].output.ok" }`,
      `gate.condition speaks of steps['bild'], but there is no such step. Did you mean 'build'?`,
    ],
    [
      'gate: { condition: "scoring.passed" }',
      `gate.condition speaks of 'scoring', but step 'review' has no 'scoring' with thresholds`,
    ],
    [
      'scoring: { thresholds: {} }, gate: { condition: "scoring.pased" }',
      `gate.condition speaks of 'scoring.pased', but there is no such key. Did you mean 'passed'?`,
    ],
    ['gate: {}', `gate.condition is missing: it must be text, unless the gate is 'human: true'`],
    ['gate: yes please', `gate must be a map with a 'condition', or with 'human: true', not 'yes please'`],
    [
      'gate: { condition: "true", max_loops: 1.5 }',
      `gate.max_loops must be a whole number from 0 to 1000, not 1.5`,
    ],
    ['gate: { condition: "true", onfail: build }', `gate.onfail is not a known key. Did you mean 'on_fail'?`],
    [
      'condition: output.ok',
      `condition speaks of 'output', but the step has not run by then: write steps['<id>'].output`,
    ],
    ['retries: -1', `retries must be a whole number from 0 to 1000, not -1`],
    ['retries: many', `retries must be a whole number from 0 to 1000, not 'many'`],
    ['timeout: 0', `timeout must be at least 1 ms, not 0`],
    [
      'timeout: soon',
      `timeout must be a number of seconds or a text such as '30s', '500ms' or '2m', not 'soon'`,
    ],
    ['timeout_ms: 30s', `timeout_ms must be a number of milliseconds, not '30s'`],
    ['timeout: 1000h', `timeout must be at most 24 days, not '1000h'`],
    ['retry_delay: -2', `retry_delay must not be negative, not -2`],
    ['timeout: 3, timeoutMs: 3000', `timeoutMs says the same as 'timeout': give only one of them`],
    ['dependsOn: [], depends_on: []', `depends_on says the same as 'dependsOn': give only one of them`],
    ['creates: { a: b }', `creates must be a list of paths, not a map`],
    ['creates: [1]', `creates[0] must be text, not 1`],
    [
      'creates: [../x]',
      `creates[0] cannot be used. The artifact path '../x' leaves its folder: it must not contain '..'.`,
    ],
    [
      'creates: [.Workflow/runs/x]',
      `creates[0] is '.Workflow/runs/x': the folder .workflow/ holds the state of the runs and no artifacts`,
    ],
    [
      'creates: [out]',
      `creates[0] is 'out', which step 'build' creates too (line 3): the later file would replace the earlier without a word. Give each step a path of its own, or let one of them require what the other creates`,
    ],
    [
      'scoring: { thresholds: { overall: 70 } }',
      `scoring.thresholds.overall is not understood: a threshold is a least value and ends in '_min', such as 'overall_min'`,
    ],
    ['scoring: { thresholds: { a_min: high } }', `scoring.thresholds.a_min must be a number, not 'high'`],
    [
      'scoring: { thresholds: { a_min: 1, aMin: 2 } }',
      `scoring.thresholds.aMin sets the least 'a' a second time`,
    ],
    ['parameters: [1]', `parameters must be a map, not a list`],
    ['depend_on: build', `depend_on is not a known key. Did you mean 'depends_on'?`],
    ['creats: [a]', `creats is not a known key. Did you mean 'creates'?`],
    ['retires: 3', `retires is not a known key. Did you mean 'retries'?`],
    ['dependOn: build', `dependOn is not a known key. Did you mean 'dependsOn'?`],
    ['DependsOn: build', `DependsOn is not a known key. Did you mean 'dependsOn'?`],
    ['nxet: publish', `nxet is not a known key. Did you mean 'next'?`],
    ['on_fail: build', `on_fail has no meaning here: it belongs under 'gate'`],
  ]
  test.each(table)('%s', async (more, expected) => {
    const [place, ...rest] = (await refusal(withSecondStep(more))).split(': steps[1].')
    expect(rest.join(': steps[1].')).toBe(expected)
    expect(place).toMatch(/^flow\.yaml:4:\d+$/)
  })

  const fine = [
    `gate: { condition: "steps['build'].output.ok" }`,
    `gate: { condition: "steps[input.judge].output.ok" }`,
    'scoring: { thresholds: { a_min: 1 } }, gate: { condition: "scoring[output.key]" }',
    `creates: [docs, docs/]`,
  ]
  test.each(fine)('%s is nothing to refuse', async (more) => {
    expect(await refusal(withSecondStep(more))).toBe('it loads')
  })

  const foreign = [
    'text: a',
    'note: a',
    'date: a',
    'state: a',
    'mode: a',
    'context_tier: 1',
    'created: 1',
    'if: a',
    'tags: [a]',
  ]
  test.each(foreign)('%s is somebody else’s word and stays', async (more) => {
    expect(await refusal(withSecondStep(more))).toBe('it loads')
  })
})

describe('a whole definition', () => {
  test('that is empty', async () => {
    expect(await refusal('')).toMatchInlineSnapshot(`"flow.yaml:1:1: the file is empty"`)
    expect(await refusal('# nothing\n')).toMatchInlineSnapshot(`"flow.yaml:1:1: the file is empty"`)
  })

  test('that is no map', async () => {
    expect(await refusal('- 1')).toMatchInlineSnapshot(
      `"flow.yaml:1:1: the definition must be a map with 'id' and 'steps', not a list"`,
    )
    expect(await refusal('workflow: [1]')).toMatchInlineSnapshot(
      `"flow.yaml:1:1: workflow must be a map with 'id' and 'steps', not a list"`,
    )
  })

  test('that is not YAML', async () => {
    expect(await refusal('id: flow\nsteps: [1, 2\nname: x\n')).toMatchInlineSnapshot(
      `"flow.yaml:3:1: this is not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]"`,
    )
  })

  test('that is not JSON', async () => {
    expect(await refusal('{"id": "flow", "steps": [}', 'flow.json')).toMatchInlineSnapshot(
      `"flow.json:1:26: this is not valid JSON: Flow sequence in block collection must be sufficiently indented and end with a ]"`,
    )
  })

  test('without steps', async () => {
    expect(await refusal('id: flow\nsteps: []')).toMatchInlineSnapshot(
      `"flow.yaml:2:1: steps must hold at least one step"`,
    )
    expect(await refusal('id: flow')).toMatchInlineSnapshot(
      `"flow.yaml:1:1: steps is missing: it must be a list of steps"`,
    )
  })

  test('whose steps are a map', async () => {
    expect(await refusal('id: flow\nsteps:\n  build: { agent: x }\n')).toMatchInlineSnapshot(
      `"flow.yaml:2:1: steps must be a list of steps, not a map"`,
    )
  })

  test('with keys in the wrong place', async () => {
    expect(await refusal('id: flow\ntimeout: 3\nsteps: [{ id: a, agent: x }]')).toMatchInlineSnapshot(
      `"flow.yaml:2:1: timeout has no meaning here: it belongs under 'settings'"`,
    )
    expect(await refusal('id: a\nworkflow: { id: b, steps: [{ id: a, agent: x }] }')).toMatchInlineSnapshot(
      `"flow.yaml:1:1: id stands beside 'workflow' and has no meaning there: move it under 'workflow'"`,
    )
    expect(
      await refusal('owner: me\nworkflow: { id: b, owner: you, steps: [{ id: a, agent: x }] }'),
    ).toMatchInlineSnapshot(
      `"flow.yaml:1:1: owner is written both beside and under 'workflow': keep one of them"`,
    )
  })

  test('with ids that are no ids', async () => {
    expect(await refusal('id: ../x\nsteps: [{ id: a b, agent: x }]')).toMatchInlineSnapshot(`
      "flow.yaml:1:1: id cannot be used. '../x' is not a valid workflow id: use 1 to 128 letters, digits, '_', '-' or '.', starting with a letter or digit.
      flow.yaml:2:11: steps[0].id cannot be used. 'a b' is not a valid step id: use 1 to 128 letters, digits, '_', '-' or '.', starting with a letter or digit."
    `)
  })

  test('with the same id twice', async () => {
    expect(
      await refusal('id: flow\nsteps:\n  - { id: a, agent: x }\n  - { id: a, agent: y }\n'),
    ).toMatchInlineSnapshot(
      `"flow.yaml:4:7: steps[1].id is 'a', which steps[0] has already (line 3). Step ids are unique"`,
    )
  })

  test('with a cycle of next and depends_on', async () => {
    const text = `id: flow
steps:
  - { id: first, agent: x, next: a }
  - { id: a, agent: x, next: b }
  - { id: b, agent: x }
  - { id: c, agent: x, depends_on: b, next: a }
`
    expect(await refusal(text)).toMatchInlineSnapshot(
      `"flow.yaml:6:39: steps[3].next closes a cycle: a -> b -> c -> a. It asks for 'a' before 'b' by steps[1].next (line 4), 'b' before 'c' by steps[3].depends_on (line 6), 'c' before 'a' by steps[3].next (line 6). To send work back on purpose, give the later step a gate with 'on_fail'"`,
    )
  })

  test('with a cycle of files', async () => {
    const text = `id: flow
steps:
  - { id: a, agent: x, requires: [y], creates: [x/] }
  - { id: b, agent: x, requires: [x/1], creates: [y] }
`
    expect(await refusal(text)).toMatchInlineSnapshot(
      `"flow.yaml:3:35: steps[0].requires[0] closes a cycle: a -> b -> a. It asks for 'a' before 'b' by steps[1].requires[0] (line 4), 'b' before 'a' by steps[0].requires[0] (line 3). To send work back on purpose, give the later step a gate with 'on_fail'"`,
    )
  })

  test('whose gate leads back against the list', async () => {
    const text =
      'id: flow\nsteps:\n  - { id: a, agent: x }\n  - { id: b, agent: x, gate: { condition: "true", onPass: a } }\n'
    expect(await refusal(text)).toMatchInlineSnapshot(
      `"flow.yaml:4:51: steps[1].gate.onPass closes a cycle: a -> b -> a. It asks for 'a' before 'b' by the order of the list, 'b' before 'a' by steps[1].gate.onPass (line 4). To send work back on purpose, give the later step a gate with 'on_fail'"`,
    )
  })

  test('with a long cycle is told in a few words', async () => {
    const steps = Array.from({ length: 30 }, (_, index) => ({
      id: `s${index}`,
      agent: 'x',
      next: `s${(index + 1) % 30}`,
    }))
    expect(await refusal(defineWorkflow({ id: 'flow', steps }))).toMatchInlineSnapshot(
      `"workflow 'flow': steps[29].next closes a cycle: s0 -> s1 -> s2 -> s3 -> s4 -> s5 -> ... -> s0. It asks for 's0' before 's1' by steps[0].next, 's1' before 's2' by steps[1].next, 's2' before 's3' by steps[2].next, 's3' before 's4' by steps[3].next, 's4' before 's5' by steps[4].next, 's5' before 's6' by steps[5].next, ..., 's29' before 's0' by steps[29].next. To send work back on purpose, give the later step a gate with 'on_fail'"`,
    )
  })
})

test('several problems are listed in the order of the file, five at most, and all are in the details', async () => {
  const steps = Array.from(
    { length: 7 },
    (_, index) => `  - { id: s${index}, retries: -1, agent: 5 }\n`,
  ).join('')
  const error: unknown = await loadText(`id: 5\nsteps:\n${steps}`).catch((thrown: unknown) => thrown)
  expect(isFaultlineError(error, 'DEFINITION_INVALID') && error.message).toMatchInlineSnapshot(`
    "flow.yaml:1:1: id must be text, not 5
    flow.yaml:3:15: steps[0].retries must be a whole number from 0 to 1000, not -1
    flow.yaml:3:28: steps[0].agent must be text, not 5
    flow.yaml:4:15: steps[1].retries must be a whole number from 0 to 1000, not -1
    flow.yaml:4:28: steps[1].agent must be text, not 5
    and 10 more"
  `)
  const { problems } = (error as { readonly details: { readonly problems: readonly unknown[] } }).details
  expect(problems).toHaveLength(15)
  expect(problems[0]).toEqual({
    file: 'flow.yaml',
    line: 1,
    column: 1,
    path: 'id',
    message: 'must be text, not 5',
  })
})

describe('what is too long or too much', () => {
  test('is shown by its beginning', async () => {
    const name = 'x'.repeat(200)
    expect(await refusal(withSecondStep(`next: ${name}`))).toContain(
      `names no step: '${'x'.repeat(128)}...'. Known: `,
    )
    expect(await refusal(withSecondStep(`retries: ${name}`))).toMatch(/, not 'x{60}\.\.\.'$/)
  })

  test('gets a suggestion only among the first problems, since nobody reads those of the others', async () => {
    const steps = Array.from({ length: 30 }, (_, index) => ({
      id: `s${index}`,
      agent: 'x',
      next: `t${index}`,
    }))
    const error: unknown = await loadWorkflow(defineWorkflow({ id: 'flow', steps })).catch(
      (each: unknown) => each,
    )
    const { problems } = (
      error as { readonly details: { readonly problems: readonly { message: string }[] } }
    ).details
    expect(problems.map(({ message }) => message.includes('Did you mean'))).toEqual(
      steps.map((_, index) => index < 20),
    )
  })

  test('such as the dependencies that follow from files is refused', async () => {
    const makers = Array.from({ length: 450 }, (_, index) => ({
      id: `m${index}`,
      agent: 'x',
      creates: [`out/${index}.txt`],
    }))
    const readers = Array.from({ length: 450 }, (_, index) => ({
      id: `r${index}`,
      agent: 'x',
      requires: 'out/',
    }))
    expect(await refusal(defineWorkflow({ id: 'flow', steps: [...makers, ...readers] }))).toBe(
      `workflow 'flow': steps[894].requires makes more than 200000 dependencies between steps`,
    )
  })

  test('such as a value of half a million values is refused', async () => {
    const metadata = { numbers: Array.from({ length: 500_000 }, () => 0) }
    const source = untyped({ id: 'flow', steps: [{ id: 'a', agent: 'x' }], metadata })
    expect(await refusal(source)).toBe(`workflow 'flow': holds more than 500000 values`)
  })
})

test('steps that are no maps are refused by their place', async () => {
  expect(await refusal('id: flow\nsteps: [build, 5, [a]]')).toBe(
    `flow.yaml:2:9: steps[0] must be a map, not 'build'\nflow.yaml:2:16: steps[1] must be a map, not 5\n` +
      `flow.yaml:2:19: steps[2] must be a map, not a list`,
  )
})

test('a text of which nobody says where it came from is called the workflow', async () => {
  expect(await refusal({ kind: 'workflow-source', value: undefined, text: 'id: 5\n' })).toMatch(
    /^the workflow:1:1: id must be text, not 5$/m,
  )
})

test('a workflow written in code is named by its id where a file would be', async () => {
  const source = defineWorkflow({ id: 'release', steps: [{ id: 'a', agent: 'x', next: 'b' }] })
  expect(await refusal(source)).toBe(`workflow 'release': steps[0].next names no step: 'b'. Known: 'a'.`)
})

describe('a value that is not plain JSON', () => {
  class Thing {
    readonly size = 1
  }
  const cyclic: Record<string, unknown> = {}
  cyclic['self'] = cyclic
  const table: readonly (readonly [string, unknown, string])[] = [
    ['a function', () => 1, 'must be plain JSON, not a function'],
    ['a date', new Date(0), 'must be plain JSON, not an instance of a class'],
    ['an instance', new Thing(), 'must be plain JSON, not an instance of a class'],
    ['not a number', Number.NaN, 'must be plain JSON, not NaN'],
    ['a big integer', 1n, 'must be plain JSON, not a bigint'],
    ['a symbol', Symbol('s'), 'must be plain JSON, not a symbol'],
  ]
  test.each(table)('such as %s', async (_, value, expected) => {
    const workflow = { id: 'flow', steps: [{ id: 'a', agent: 'x', parameters: { value } }] }
    for (const source of [untyped(workflow), defineWorkflow(workflow as never)]) {
      expect(await refusal(source)).toBe(`workflow 'flow': steps[0].parameters.value ${expected}`)
    }
  })

  test('such as one that contains itself', async () => {
    const source = defineWorkflow({
      id: 'flow',
      steps: [{ id: 'a', agent: 'x', parameters: cyclic as never }],
    })
    expect(await refusal(source)).toBe(`workflow 'flow': steps[0].parameters is nested deeper than 64 levels`)
  })

  test('such as none at all', async () => {
    for (const value of [undefined, null, 'text', 1, [], () => 1]) {
      expect(await refusal(untyped(value))).toMatch(/^the workflow: (?:the definition )?must be /)
    }
  })
})

test('names of object internals change nothing', async () => {
  const own = JSON.parse(
    '{"id":"flow","__proto__":{"polluted":1},"steps":[{"id":"a","agent":"x"}]}',
  ) as unknown
  expect(await refusal(untyped(own))).toBe(`workflow 'flow': __proto__ is not allowed as a key`)
  expect(await refusal('id: flow\nsteps: [{ id: a, agent: x, __proto__: { polluted: 1 } }]')).toBe(
    'flow.yaml:2:28: this key cannot be read: __proto__ is not allowed',
  )
  const { definition } = await loadText(
    'id: flow\nsteps: [{ id: constructor, agent: toString, next: [], constructor: { prototype: 1 }, toString: 1 }]',
  )
  expect(definition.steps[0]?.metadata).toEqual({ constructor: { prototype: 1 }, toString: 1 })
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  await expect(
    loadWorkflow(untyped({ id: 'flow', steps: [{ id: 'valueOf', agent: 'x', next: 'hasOwnProperty' }] })),
  ).rejects.toThrow(`workflow 'flow': steps[0].next names no step: 'hasOwnProperty'. Known: 'valueOf'.`)
})

test('a key or value with line ends or control characters stays on its line and steers no terminal', async () => {
  expect(await refusal('id: f\nsteps: [{ "\\ragent": "x", id: "a\\e[31m" }]\n')).toBe(
    `flow.yaml:2:9: steps[0].agent is missing: it must be text\n` +
      `flow.yaml:2:11: steps[0].\\u000dagent is not a known key. Did you mean 'agent'?`,
  )
  expect(await refusal('id: f\nsteps: [{ agent: x, id: "a\\e[31m" }]\n')).toContain(
    `steps[0].id cannot be used. 'a\\u001b[31m' is not a valid step id`,
  )
})
