import { describe, expect, test } from 'vitest'
import { loadText } from './load.ts'

const one = (settings: string, step = ''): string =>
  `id: f\nsettings: { ${settings} }\nsteps: [{ id: a, agent: x${step} }]\n`

async function problemOf(text: string): Promise<string> {
  try {
    await loadText(text)
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('it was loaded')
}

describe('limits of a stage', () => {
  const stages =
    'stages: { review: { timeout: 5m, warn_after: 3m } }, timeout_multiplier: 1.5, step_timeout: 20'

  test.each([
    ['are those of its steps, multiplied', ', stage: review', { timeoutMs: 450_000, warnAfterMs: 270_000 }],
    [
      'give way to what the step says itself',
      ', stage: review, timeout: 200s, warn_after: 1s',
      { timeoutMs: 200_000, warnAfterMs: 1_000 },
    ],
  ])('%s', async (_, step, limits) => {
    const { steps } = (await loadText(one(stages, step))).definition
    expect(steps[0]).toMatchObject({ stage: 'review', ...limits })
  })

  test('are none of a step that names no stage, whose own limits are never multiplied', async () => {
    const text = `id: f\nsettings: { ${stages} }\nsteps: [{ id: a, agent: x, stage: review }, { id: b, agent: x }, { id: c, agent: x, stage: other, timeout: 7 }]\n`
    const [, b, c] = (await loadText(text)).definition.steps
    expect(b).toMatchObject({ timeoutMs: 20_000 })
    expect(b).not.toHaveProperty('warnAfterMs')
    expect(c).toMatchObject({ stage: 'other', timeoutMs: 7_000 })
  })

  test('of a stage that no step names are a mistake', async () => {
    expect(await problemOf(one(stages, ', stage: reviews'))).toContain(
      `settings.stages.review is the stage of no step. Did you mean 'reviews'?`,
    )
  })
})

test.each([
  ['retry_jitter: 1.5', '', 'settings.retry_jitter must be a number from 0 to 1, not 1.5'],
  ['timeout_multiplier: 0', '', 'settings.timeout_multiplier must be a number above 0, at most 100, not 0'],
  ['rollback: yes please', '', `settings.rollback must be true or false, not 'yes please'`],
  [
    'timeout: 60, warn_after: 60',
    '',
    'settings warns after 1 min, which its limit of 1 min does not let it reach',
  ],
  ['warn_after: 60', '', `settings warns after 1 min, and has no limit: give it a 'timeout'`],
  ['', ', warn_after: 30', 'steps[0] warns after 30 s, which its limit of 30 s does not let it reach'],
  [
    '',
    ', gate: { human: true, condition: "true" }',
    `steps[0].gate has a 'condition' and 'human: true': keep one of them`,
  ],
  [
    '',
    ', gate: { condition: "true", expires_after: 1h }',
    `steps[0].gate has an 'expires_after', which needs 'human: true'`,
  ],
  ['', ', undo: { action: back }', 'steps[0].undo.agent is missing: it must be text'],
  ['', ', undo: { agent: x, retries: 2 }', 'steps[0].undo.retries is not a known key'],
  [
    '',
    ', undo: { agent: x, parameters: { a: "${nobody.output}" } }',
    'steps[0].undo.parameters.a holds ${nobody.output}',
  ],
])('%j with %j is refused', async (settings, step, problem) => {
  expect(await problemOf(one(settings, step))).toContain(problem)
})

test('what an undo asks for may come from the step itself, and from no later one', async () => {
  await loadText(one('', ', undo: { agent: x, parameters: { a: "${a.output.id}" } }'))
  const later = `id: f\nsteps: [{ id: a, agent: x, undo: { agent: x, parameters: { a: "\${b.output}" } } }, { id: b, agent: x }]\n`
  expect(await problemOf(later)).toContain('steps[0].undo.parameters.a')
})
