import { beforeAll, describe, expect, test } from 'vitest'
import { builtInInvariants, defineInvariant, judge } from '../../../../src/harness/invariants/index.ts'
import type { Evidence, Invariant } from '../../../../src/harness/invariants/index.ts'
import { watchedRun } from '../../../support/evidence.ts'
import { agents, release } from './evidences.ts'

let plain: Evidence
beforeAll(async () => {
  const run = await watchedRun(release, { agents })
  await run.move((session) => session.runToEnd())
  plain = await run.evidence()
})

const oneMail = defineInvariant({
  name: 'one-mail',
  title: 'one mail goes out',
  check({ evidence }, verdict) {
    const mails = evidence.effects.filter(({ name }) => name === 'mail')
    for (const { count, step } of mails) {
      if (count > 1) verdict.broken(`${count} mails went out.`, { step })
    }
    if (mails.length === 0) verdict.notJudged('no mail was due')
    else verdict.note('A mail went out.')
  },
})

describe('an invariant of your own', () => {
  test('is judged beside the built-in ones', async () => {
    const { violations, judged, notes } = await judge(plain, [...builtInInvariants, oneMail])
    expect(violations).toEqual([])
    expect(judged).toContain('O2')
    expect(judged).toContain('one-mail')
    expect(notes).toEqual([{ invariant: 'one-mail', sentence: 'A mail went out.' }])
  })

  test('says what is broken, and where', async () => {
    const effects = plain.effects.map((effect) => ({ ...effect, count: 2 }))
    const { violations } = await judge({ ...plain, effects }, [oneMail])
    expect(violations).toEqual([{ invariant: 'one-mail', sentence: '2 mails went out.', step: 'ship' }])
  })

  test('says what it could not judge', async () => {
    const { judged, notJudged } = await judge({ ...plain, effects: [] }, [oneMail])
    expect(judged).toEqual([])
    expect(notJudged).toEqual([{ invariant: 'one-mail', why: 'no mail was due' }])
  })

  test('reads the run: its events, its definition, what they add up to', async () => {
    const seen: unknown[] = []
    const looking = defineInvariant({
      name: 'looking',
      title: 'looks',
      check: ({ events, definition, folded }) => {
        seen.push(events.at(-1)?.kind, definition?.id, folded?.steps.get('ship')?.output)
      },
    })
    await judge(plain, [looking])
    expect(seen).toEqual(['workflow_end', 'release', { step: 'ship' }])
  })

  test('is broken by an error that its check throws, such as a failed expectation', async () => {
    const strict = defineInvariant({
      name: 'strict',
      title: 'is never met',
      check: ({ events }) => expect(events.length, 'events').toBe(0),
    })
    const { violations } = await judge(plain, [strict])
    expect(violations).toEqual([
      { invariant: 'strict', sentence: 'events: expected 23 to be +0 // Object.is equality' },
    ])
  })
})

describe('misuse', () => {
  const check = (): void => {}

  test.each([
    [{ title: 't', check }, 'and its name is missing.'],
    [{ name: 'two words', title: 't', check }, 'and its name is "two words".'],
    [{ name: 'O21', title: 't', check }, `The name 'O21' belongs to the built-in invariants`],
    [
      { name: 'mine', check },
      `Invariant 'mine' needs a title that says what holds, and its title is missing.`,
    ],
    [{ name: 'mine', title: ' ', check }, 'and its title is " ".'],
    [{ name: 'mine', title: 't' }, `Invariant 'mine' needs a function 'check', and its check is missing.`],
    [{ name: 'mine', title: 't', check: true }, 'and its check is true.'],
  ])('%o is refused', (definition, message) => {
    const define = (): Invariant => defineInvariant(definition as unknown as Invariant)
    expect(define).toThrow(expect.objectContaining({ code: 'CONFIGURATION_INVALID' }))
    expect(define).toThrow(message)
  })

  test('an asynchronous check is refused when it is run', async () => {
    const later: unknown = async () => {}
    const slow = defineInvariant({ name: 'slow', title: 'takes its time', check: later as () => void })
    await expect(judge(plain, [slow])).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringContaining(`The check of invariant 'slow' is asynchronous`),
    })
  })

  test('judging by nothing is refused', async () => {
    await expect(judge(plain, [])).rejects.toThrow('There is no invariant to judge by')
  })

  test('two invariants of one name are refused', async () => {
    await expect(judge(plain, [oneMail, oneMail])).rejects.toThrow(
      `Two invariants have the name 'one-mail': rename one of them.`,
    )
  })
})
