import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  describeDivergence,
  firstDivergence,
  normalisedFields,
  normaliseEvents,
  type WorkflowEvent,
} from '../../../src/trace/index.ts'
import { sampleEvents, sampleStart } from '../../support/sample-run.ts'

/** A copy of the sample run with one event changed. */
function changed(seq: number, change: Record<string, unknown>): WorkflowEvent[] {
  return sampleEvents().map((event) => (event.seq === seq ? { ...event, ...change } : event))
}

function described(replayed: readonly WorkflowEvent[]): string | undefined {
  const divergence = firstDivergence(sampleEvents(), replayed)
  return divergence === undefined ? undefined : describeDivergence(divergence)
}

/** The same run at another time, by another process, asked for by another test, on a disk of another speed. */
function elsewhere(laterMs: number, id: string): WorkflowEvent[] {
  return sampleEvents().map((event) => ({
    ...event,
    at: event.at + laterMs,
    runId: `release-${id}`,
    correlationId: `corr-${id}`,
    durableSeq: 0,
    ...('notBefore' in event ? { notBefore: event.notBefore + laterMs } : {}),
    ...('owner' in event ? { owner: `owner-${id}` } : {}),
    ...('launch' in event ? { launch: { source: id } } : {}),
  }))
}

describe('the normal form of events', () => {
  test('is stable under every listed field', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e12 }), fc.uuid(), (laterMs, id) => {
        expect(JSON.stringify(normaliseEvents(elsewhere(laterMs, id)))).toBe(
          JSON.stringify(normaliseEvents(sampleEvents())),
        )
      }),
      { seed: 7 },
    )
  })

  test('lists each field with a reason', () => {
    expect(normalisedFields.map(({ field, rule }) => `${field}: ${rule}`)).toEqual([
      'runId: id',
      'correlationId: id',
      'at: instant',
      'notBefore: instant',
      'expiresAt: instant',
      'graceUntil: instant',
      'durationMs: duration',
      'durableSeq: removed',
      'owner: removed',
      'group: removed',
      'lineSha256: removed',
      'launch: removed',
    ])
    expect(normalisedFields.filter(({ why }) => why.length < 40)).toEqual([])
  })

  test('sees a change of any field that is not listed', () => {
    const listed = new Set(normalisedFields.map(({ field }) => field))
    const places = sampleEvents().flatMap((event) =>
      Object.keys(event)
        .filter((field) => !listed.has(field))
        .map((field) => ({ event, field })),
    )
    const unseen = places.filter(({ event, field }) => {
      const replayed = { ...event, [field]: 'something else' }
      return firstDivergence([event], [replayed])?.path !== field
    })
    expect(places.length).toBeGreaterThan(200)
    expect(unseen).toEqual([])
  })

  test('sees members of outputs that are named like a listed field', () => {
    for (const { field } of normalisedFields) {
      const replayed = changed(2, { output: { tasks: 3, [field]: 1 } })
      expect(described(replayed)).toBe(
        `diverged at event 2 (step_finish plan#1@1): output.${field} was absent, now 1`,
      )
    }
  })

  test('replaces the run id wherever a text carries it', () => {
    const [first] = normaliseEvents([
      { ...sampleEvents()[2], output: { receipt: 'release-7f3a91c2/plan#1' } } as WorkflowEvent,
    ])
    expect(first?.['output']).toEqual({ receipt: '<runId>/plan#1' })
  })

  test('keeps times relative to the start, or drops them on request', () => {
    const retry = sampleEvents().slice(0, 8)
    expect(normaliseEvents(retry)[7]).toMatchObject({ at: 1_750, notBefore: 2_750, durationMs: 500 })
    const dropped = normaliseEvents(retry, { times: 'drop' })[7]
    expect(
      Object.keys(dropped ?? {}).filter((key) => ['at', 'notBefore', 'durationMs'].includes(key)),
    ).toEqual([])
    expect(dropped).toMatchObject({ delayMs: 1_000 })
  })
})

describe('the first divergence', () => {
  test('is absent when nothing but listed fields differs', () => {
    expect(firstDivergence(sampleEvents(), elsewhere(5_000, 'other-run-id'))).toBeUndefined()
  })

  test('is found at two swapped events', () => {
    const events = sampleEvents()
    const [third, fourth] = [events[2] as WorkflowEvent, events[3] as WorkflowEvent]
    events[2] = { ...fourth, seq: third.seq, durableSeq: third.durableSeq, at: third.at }
    events[3] = { ...third, seq: fourth.seq, durableSeq: fourth.durableSeq, at: fourth.at }
    expect(described(events)).toBe('diverged at event 2: was step_finish plan#1@1, now step_start build#1@1')
  })

  test.each([
    ['a changed output', 2, { output: { tasks: 4 } }, '(step_finish plan#1@1): output.tasks was 3, now 4'],
    ['a changed attempt', 3, { attempt: 2 }, ': was step_start build#1@1, now step_start build#1@2'],
    [
      'a changed artifact digest',
      5,
      { artifacts: [{ path: 'dist/app.js', sha256: 'c'.repeat(64), sizeBytes: 12 }] },
      `(step_finish build#1@1): artifacts[0].sha256 was '${'a'.repeat(64)}', now '${'c'.repeat(64)}'`,
    ],
    [
      'a changed error message',
      9,
      { error: { kind: 'exception', message: 'model gone', name: 'ModelError' } },
      "(step_fail review#1@2): error.message was 'model overloaded', now 'model gone'",
    ],
    ['a changed time', 9, { at: sampleStart + 3_300 }, '(step_fail review#1@2): at was 3250, now 3300'],
    ['a raised epoch', 1, { epoch: 2 }, '(step_start plan#1@1): epoch was 1, now 2'],
    [
      'a member with an unusual name',
      2,
      { output: { tasks: 3, 'a.b "c"': [1] } },
      '(step_finish plan#1@1): output["a.b \\"c\\""] was absent, now [1]',
    ],
    ['a changed type', 2, { output: [3] }, '(step_finish plan#1@1): output was {"tasks":3}, now [3]'],
  ])('is found at %s', (_, seq, change, message) => {
    expect(described(changed(seq, change))).toBe(
      `diverged at event ${seq}${message.startsWith(':') ? '' : ' '}${message}`,
    )
  })

  test('is found where one side ends', () => {
    expect(described(sampleEvents().slice(0, 10))).toBe(
      'diverged at event 10: was workflow_end review, but the replay ended before it',
    )
    const shorter = firstDivergence(sampleEvents().slice(0, 10), sampleEvents())
    expect(shorter && describeDivergence(shorter)).toBe(
      'diverged at event 10: the recording ended before it, now workflow_end review',
    )
  })
})
