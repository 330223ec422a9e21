import { describe, expect, test } from 'vitest'
import { lanesOf, type Lanes } from '../../../src/viewer/lanes.ts'
import type { SessionRecording, WorkflowEvent } from '../../../src/trace/index.ts'
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

function marksOf({ marks }: Lanes): string[] {
  return marks.map(({ kind, good }) => `${kind} ${good}`)
}
