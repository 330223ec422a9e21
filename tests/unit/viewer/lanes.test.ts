import { describe, expect, test } from 'vitest'
import { labelsWithRoom, lanesOf, type Lanes } from '../../../src/viewer/lanes.ts'
import type { SessionRecording, WorkflowEvent } from '../../../src/trace/index.ts'
import type { EventData } from '../../../src/viewer/page-data.ts'
import { largeRecording } from '../../support/large-run.ts'
import { sessionData } from '../../support/page-data.ts'
import { eventBuilder, sampleEvents, sampleRecording, stepContext } from '../../support/sample-run.ts'

describe('the lanes', () => {
  test('have a bar for every attempt, with how it ended', () => {
    const { lanes } = lanesOf(sessionData())
    expect(
      lanes.map(({ step, bars }) => [
        step,
        ...bars.map(({ visit, attempt, outcome }) => `${visit}@${attempt} ${outcome}`),
      ]),
    ).toEqual([
      ['plan', '1@1 completed'],
      ['build', '1@1 completed', '2@1 completed'],
      ['review', '1@1 retried', '1@2 failed', '1@3 returned', '2@1 completed'],
      ['publish', '1@1 completed'],
    ])
  })

  test('go from the event that began an attempt to the one that ended it', () => {
    const events = sampleEvents()
    const review = lanesOf(sessionData()).lanes[2]
    expect(review?.bars.map(({ from, to }) => [events[from]?.kind, events[to]?.kind])).toEqual([
      ['step_start', 'step_retry'],
      ['step_start', 'step_fail'],
      ['step_start', 'gate_result'],
      ['step_start', 'step_finish'],
    ])
    expect(review?.gates.map(({ passed }) => passed)).toEqual([false, true])
  })

  test('name the faults that fired in an attempt', () => {
    const review = lanesOf(sessionData()).lanes[2]
    expect(review?.bars.map(({ faults }) => faults)).toEqual([['agent-error'], ['agent-error'], [], []])
  })

  test('mark no crash where a run had failed before it was resumed', () => {
    expect(marksOf(lanesOf(sessionData()))).toEqual(['end false', 'resume true', 'end true'])
  })

  test('mark a crash before a resume of a run that had not ended, and what it interrupted', () => {
    const build = eventBuilder()
    const lanes = of([
      build(0, sampleEvents()[0] as WorkflowEvent),
      build(1, { kind: 'step_start', status: 'running', ...stepContext('plan') }),
      build(1, { kind: 'step_start', status: 'running', ...stepContext('build') }),
      build(1, { kind: 'workflow_resume', status: 'running', owner: 'two', restarts: ['plan', 'build'] }),
      build(1, { kind: 'step_start', status: 'running', ...stepContext('plan', 1, 2) }),
    ])
    expect(marksOf(lanes)).toEqual(['crash false', 'resume true'])
    expect(lanes.lanes.slice(0, 2).map(({ bars }) => bars.map(({ outcome, to }) => [outcome, to]))).toEqual([
      [
        ['interrupted', 3],
        ['running', 4],
      ],
      [['interrupted', 3]],
    ])
  })

  test('show a step that never ran as an empty lane', () => {
    const lanes = of(sampleEvents().slice(0, 11))
    expect(lanes.lanes.at(-1)).toEqual({ step: 'publish', bars: [], gates: [], notes: [] })
  })

  test('show of a skipped step that it was skipped, and why', () => {
    const lanes = ofKinds([
      {
        kind: 'step_skip',
        step: 'publish',
        visit: 1,
        attempt: null,
        status: 'skipped',
        text: 'publish#1 skipped: why',
      },
    ])
    expect(lanes.lanes.at(-1)).toMatchObject({
      step: 'publish',
      bars: [],
      notes: [{ status: 'skipped', text: 'publish#1 skipped: why' }],
    })
  })

  test('take a pause and the resume after it for no crash', () => {
    const lanes = ofKinds([
      { kind: 'step_start', step: 'plan', visit: 1, attempt: 1 },
      { kind: 'gate_wait', step: 'plan', visit: 1, attempt: 1, status: 'waiting' },
      { kind: 'workflow_pause', step: 'plan', status: 'waiting' },
      { kind: 'workflow_resume', status: 'running' },
      { kind: 'gate_result', step: 'plan', visit: 1, attempt: 1, status: 'passed' },
    ])
    expect(lanes.marks.map(({ name }) => name)).toEqual(['pause', 'resume'])
    expect(lanes.lanes[0]).toMatchObject({ bars: [{ outcome: 'waiting' }], gates: [{ passed: true }] })
  })

  test('have a bar for what undoes a step', () => {
    const lanes = ofKinds([
      { kind: 'undo_start', step: 'plan', visit: 1, attempt: 1 },
      { kind: 'undo_finish', step: 'plan', visit: 1, attempt: 1, status: 'completed' },
      { kind: 'undo_start', step: 'build', visit: 1, attempt: 1 },
      { kind: 'undo_fail', step: 'build', visit: 1, attempt: 1, status: 'failed' },
    ])
    expect(lanes.lanes.slice(0, 2).map(({ bars }) => bars.map(({ outcome }) => outcome))).toEqual([
      ['undone'],
      ['failed'],
    ])
  })

  test('show kinds of events that nobody has told this page of', () => {
    const lanes = ofKinds([
      { kind: 'step_start', step: 'plan', visit: 1, attempt: 1 },
      { kind: 'moon_phase', step: 'plan', visit: 1, attempt: 1, status: 'full', text: 'the moon is full' },
      { kind: 'workflow_moved_house', status: 'moved' },
    ])
    expect(lanes.lanes[0]).toMatchObject({
      bars: [{ outcome: 'running' }],
      notes: [{ at: 2, status: 'full', text: 'the moon is full' }],
    })
    expect(lanes.marks).toEqual([{ at: 3, kind: 'other', name: 'moved house', good: true }])
  })

  test('overlap for steps that ran in parallel', () => {
    const { lanes } = lanesOf(sessionData(largeRecording(4)))
    const starts = lanes.map(({ bars }) => bars[0]?.from ?? 0)
    expect(Math.max(...starts)).toBeLessThan(lanes[0]?.bars[0]?.to ?? 0)
  })
})

function of(events: readonly WorkflowEvent[]): Lanes {
  const recording: SessionRecording = { ...sampleRecording(), events }
  return lanesOf(sessionData(recording))
}

/** A run that has just started, and then these. */
function ofKinds(events: readonly (Partial<Omit<EventData, 'kind'>> & { readonly kind: string })[]): Lanes {
  const session = sessionData()
  const plain = { offsetMs: 0, step: null, visit: null, attempt: null, status: 'running', text: '', body: {} }
  const all = [session.events[0], ...events.map((event, index) => ({ ...plain, seq: index + 1, ...event }))]
  return lanesOf({ ...session, events: all as EventData[], resolvedPlan: null })
}

function marksOf({ marks }: Lanes): string[] {
  return marks.map(({ kind, good }) => `${kind} ${good}`)
}

test('labels of marks that are close make room for a crash, then for an end', () => {
  const label = (kind: 'crash' | 'end' | 'resume', from: number) => ({
    mark: { at: from, kind, name: kind, good: true },
    from,
    to: from + 50,
  })
  const kinds = (...labels: readonly ReturnType<typeof label>[]): readonly string[] =>
    labelsWithRoom(labels).map(({ mark }) => mark.kind)
  expect(kinds(label('end', 0), label('resume', 20), label('crash', 40), label('resume', 90))).toEqual([
    'crash',
    'resume',
  ])
  expect(kinds(label('resume', 0), label('end', 20), label('resume', 70))).toEqual(['end', 'resume'])
  expect(kinds(label('crash', -10), label('resume', 30))).toEqual(['resume'])
})
