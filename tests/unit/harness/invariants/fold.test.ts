import { beforeAll, describe, expect, test } from 'vitest'
import type { LoggedEvent } from '../../../../src/harness/invariants/event-shapes.ts'
import type { Evidence } from '../../../../src/harness/invariants/index.ts'
import { foldLog } from '../../../../src/harness/invariants/fold.ts'
import { eventsIn, logPathOf } from '../../../support/tamper.ts'
import { soundEvidences } from './evidences.ts'
import type { SoundEvidences } from './evidences.ts'

let sound: SoundEvidences
beforeAll(async () => {
  sound = await soundEvidences()
})

/** Lists of events that nobody has folded. */
function eventsOf(evidence: Evidence): LoggedEvent[] {
  return eventsIn(evidence.files, logPathOf(evidence)) as unknown as LoggedEvent[]
}

/** What events add up to by themselves: nothing is known of a copy. */
function foldedAlone(events: readonly LoggedEvent[], throughSeq?: number): unknown {
  return structuredClone(foldLog(structuredClone(events), throughSeq))
}

describe('a fold that goes on from a known beginning', () => {
  test.each(['troubled', 'crashed', 'resumed', 'reopened', 'rebuilt'] as const)(
    'comes to what the whole log adds up to, wherever it begins: %s',
    (name) => {
      const events = eventsOf(sound[name])
      for (const [seq] of events.entries()) {
        expect(foldLog(events.slice(0, seq + 1))).toEqual(foldedAlone(events, seq))
        expect(foldLog(events, seq)).toEqual(foldedAlone(events, seq))
      }
    },
  )

  test('is not taken for the same when an earlier event is another', () => {
    const events = eventsOf(sound.troubled)
    foldLog(events)
    for (const [index, event] of events.entries()) {
      if (!('output' in event)) continue
      const other = events.with(index, { ...event, output: 'another' })
      expect(foldLog(other)).toEqual(foldedAlone(other))
      const without = events.toSpliced(index, 1)
      expect(foldLog(without)).toEqual(foldedAlone(without))
    }
  })
})

test('what was folded stays as it is when others go on from it', () => {
  const events = eventsOf(sound.troubled)
  const known = events.map((_, seq) => ({ run: foldLog(events, seq), was: foldedAlone(events, seq) }))
  for (const [index] of events.entries()) {
    // From each place on, everything once more: every step is written to.
    foldLog([...events.slice(0, index + 1), ...structuredClone(events.slice(1))])
  }
  for (const { run, was } of known) expect(run).toEqual(was)
})

test('steps that nothing has happened to since are shared, the others are not', () => {
  const events = eventsOf(sound.plain)
  const finish = events.findIndex((event) => event.kind === 'step_finish' && event.step === 'build')
  const [before, after] = [foldLog(events, finish - 1), foldLog(events, finish)]
  expect(after?.steps.get('plan')).toBe(before?.steps.get('plan'))
  expect(after?.steps.get('build')).not.toBe(before?.steps.get('build'))
  expect(before?.steps.get('build')?.status).toBe('running')
})

test('a log that does not begin with event 0 adds up to nothing', () => {
  const [, ...rest] = eventsOf(sound.plain)
  expect(foldLog(rest)).toBeUndefined()
  expect(foldLog([])).toBeUndefined()
})
