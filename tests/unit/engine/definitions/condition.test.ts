import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compileCondition } from '../../../../src/engine/definitions/index.ts'

const names = {
  input: { ticket: 'T-1', constructor: 'a builder' },
  output: {
    scores: { overall: 70, security: 6.5 },
    count: 4,
    items: [{ id: 'a' }, { id: 'b' }],
    empty: null,
    position: 1,
  },
  scoring: { passed: true, scores: { overall: 70 } },
  steps: {
    build: { status: 'completed', output: { count: 4 }, scoring: null },
    'auth-review': { status: 'completed', output: { ok: false }, scoring: null },
    constructor: { status: 'pending', output: null, scoring: null },
  },
  run: { id: 'r1', workflowId: 'flow' },
}

async function judged(text: string): Promise<boolean | string> {
  const condition = await compileCondition(text)
  try {
    return condition.evaluate(names)
  } catch (error) {
    return (error as Error).message
  }
}

describe('a condition', () => {
  const table: readonly (readonly [string, boolean])[] = [
    ['scoring.passed == true', true],
    ['!scoring.passed', false],
    ['output.scores.overall >= 70', true],
    ['output.scores.overall > 70', false],
    ['output.scores.security >= 6.5', true],
    ['output.scores.security > 6', true],
    [`steps['build'].output.count > 3`, true],
    [`steps['auth-review'].output.ok`, false],
    [`steps.constructor.status == 'pending'`, true],
    [`input.ticket.startsWith('T-') && input.constructor == 'a builder'`, true],
    ['output.count == 4 && 4 == output.count', true],
    ['output.count == 4.0', true],
    ['output.count != 4', false],
    ['output.count in [3, 4]', true],
    ['size(output.items) + output.count == 6', true],
    ['output.count + 1 == 5 && 1 + output.count == 5', true],
    ['output.count - 1 == 3 && 5 - output.count == 1', true],
    ['output.count * 2 == 8 && 2 * output.count == 8', true],
    ['output.count / 8 == 0.5 && 2 / output.count == 0.5', true],
    ['output.count % 3 == 1 && 6 % output.count == 2', true],
    ['output.scores.security % output.count == 2.5', true],
    ['output.count + 1 == size(output.items) + 3', true],
    ['size(output.items) == output.count - 2', true],
    ['(scoring.passed ? output.count : 1) + 1 == 5', true],
    ['1 == 1.0 && 2.5 != 2', true],
    [`output.items[output.position].id == 'b'`, true],
    [`output.items.exists(item, item.id == 'b')`, true],
    ['output.empty == null', true],
    ['has(output.missing)', false],
    [`run.id == 'r1'`, true],
    ['output.missing || true', true],
  ]
  test.each(table)('%s is %s', async (text, expected) => {
    expect(await judged(text)).toBe(expected)
  })
})

interface Sum {
  readonly text: string
  readonly value: number
}

const sums = fc.letrec<{ readonly sum: Sum }>((tie) => ({
  sum: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Sum[]>(
      { text: 'output.count', value: 4 },
      { text: 'output.scores.security', value: 6.5 },
      { text: 'double(3)', value: 3 },
      { text: '2.5', value: 2.5 },
    ),
    fc
      .record({
        left: tie('sum'),
        right: fc.oneof(
          tie('sum'),
          fc.integer({ min: 1, max: 9 }).map((value): Sum => ({ text: String(value), value })),
        ),
        operator: fc.constantFrom('+', '-', '*'),
        swapped: fc.boolean(),
      })
      .map(({ left, right, operator, swapped }): Sum => {
        const [first, second] = swapped ? [right, left] : [left, right]
        const value =
          operator === '+'
            ? first.value + second.value
            : operator === '-'
              ? first.value - second.value
              : first.value * second.value
        return { text: `(${first.text} ${operator} ${second.text})`, value }
      }),
  ),
})).sum

test('calculates and compares with whole and decimal literals alike', async () => {
  await fc.assert(
    fc.asyncProperty(sums, sums, async (left, right) => {
      expect(await judged(`${left.text} == ${right.text}`)).toBe(left.value === right.value)
      expect(await judged(`${left.text} < ${right.text}`)).toBe(left.value < right.value)
      if (!Number.isInteger(left.value)) return
      expect(await judged(`${left.text} == ${left.value}`)).toBe(true)
      expect(await judged(`${left.value} == ${left.text}`)).toBe(true)
      expect(await judged(`${left.text} != ${left.value}`)).toBe(false)
    }),
    { seed: 20_260_214, numRuns: 500 },
  )
})

describe('a condition that cannot be judged', () => {
  const table: readonly (readonly [string, string])[] = [
    [
      'output.scores.style >= 1',
      `The condition 'output.scores.style >= 1' cannot be judged: No such key: style in 'output.scores.style'.`,
    ],
    ['output.missing', `The condition 'output.missing' cannot be judged: No such key: missing.`],
    [
      `!output.missing`,
      `The condition '!output.missing' cannot be judged: No such key: missing in 'output.missing'.`,
    ],
    [
      `steps['nobody'].output.ok`,
      `The condition 'steps['nobody'].output.ok' cannot be judged: No such key: nobody in 'steps['nobody']'.`,
    ],
    [
      'output.items[2].id == 1',
      `The condition 'output.items[2].id == 1' cannot be judged: No such key: index out of bounds, index 2 >= size 2 in 'output.items[2]'.`,
    ],
    [
      'output.count',
      `The condition 'output.count' cannot be judged: it gives number, where true or false is needed.`,
    ],
    [
      'output.empty',
      `The condition 'output.empty' cannot be judged: it gives object, where true or false is needed.`,
    ],
    [
      'output.__proto__ == null',
      `The condition 'output.__proto__ == null' cannot be judged: No such key: __proto__ in 'output.__proto__'.`,
    ],
    [
      `output.constructor == 'x'`,
      `The condition 'output.constructor == 'x'' cannot be judged: No such key: constructor in 'output.constructor'.`,
    ],
    [
      `output.items.length == 2`,
      `The condition 'output.items.length == 2' cannot be judged: No such key: length in 'output.items.length'.`,
    ],
  ]
  test.each(table)('%s is an error and never false', async (text, expected) => {
    expect(await judged(text)).toBe(expected)
  })

  test('for want of a name is an error', async () => {
    const condition = await compileCondition('scoring.passed')
    expect(() => condition.evaluate({})).toThrow(
      `The condition 'scoring.passed' cannot be judged: Unknown variable: scoring`,
    )
  })

  test('does not reach what a value inherits or computes', async () => {
    class Result {
      get ok(): boolean {
        return true
      }
    }
    const condition = await compileCondition('output.ok')
    expect(() => condition.evaluate({ output: new Result() })).toThrow('No such key: ok')
    expect(() => condition.evaluate({ output: Object.create({ ok: true }) as object })).toThrow(
      'No such key: ok',
    )
  })
})

describe('text that is no condition', () => {
  const table: readonly (readonly [string, string])[] = [
    [
      'scoring.passed =',
      'The condition is not valid CEL at character 16: Unexpected character: = (scoring.passed =)',
    ],
    ['', 'The condition is not valid CEL at character 1: Unexpected token: EOF ()'],
    ['outptu.ok', 'The condition is not valid CEL at character 1: Unknown variable: outptu (outptu.ok)'],
    [`'a' > 1`, `The condition is not valid CEL at character 1: no such overload: string > int ('a' > 1)`],
    ['1 + 1', 'The condition gives int, where true or false is needed: 1 + 1'],
    [
      'system("ls")',
      'The condition is not valid CEL at character 1: found no matching overload for \'system(string)\' (system("ls"))',
    ],
  ]
  test.each(table)('%s', async (text, expected) => {
    await expect(compileCondition(text)).rejects.toMatchObject({
      code: 'DEFINITION_INVALID',
      message: expected,
    })
  })

  test('however deep it nests', async () => {
    const refused = expect.objectContaining({ code: 'DEFINITION_INVALID' }) as unknown
    await expect(compileCondition(`${'!'.repeat(100_000)}true`)).rejects.toEqual(refused)
    await expect(compileCondition(`${'('.repeat(100_000)}true`)).rejects.toEqual(refused)
  })
})
