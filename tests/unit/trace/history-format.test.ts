import { describe, expect, test } from 'vitest'
import { formatHistory, timelineOf, wrapped } from '../../../src/trace/index.ts'
import { artifact, eventBuilder, sampleEvents, stepContext } from '../../support/sample-run.ts'

describe('the history', () => {
  test('says in words why a step was tried again, where a gate sent the work, and what a resume restarts', () => {
    expect(formatHistory(timelineOf(sampleEvents()))).toMatchInlineSnapshot(`
      " 0       +0 ms  run started: 4 steps, seed 1
       1       +0 ms  plan#1@1 started (agent plan-agent)
       2     +250 ms  plan#1@1 completed in 250 ms
       3     +250 ms  build#1@1 started (agent build-agent)
       4     +1.25 s  build#1@1 prepared dist/app.js
       5     +1.25 s  build#1@1 completed in 1 s, produced dist/app.js
       6     +1.25 s  review#1@1 started (agent review-agent)
       7     +1.75 s  review#1@1 failed: model overloaded (exception); retry in 1 s
       8     +2.75 s  review#1@2 started (agent review-agent)
       9     +3.25 s  review#1@2 failed: model overloaded (exception)
      10     +3.25 s  run failed at review: model overloaded (exception)
      11     +3.25 s  notes.md edited from outside (12 bytes)
      12  +1 min 3 s  resumed: restarts review; tail cut at seq 12
      13  +1 min 3 s  review#1@3 started (agent review-agent)
      14  +1 min 4 s  review#1@3 gate failed: overall 60 is below 80; returns to
                      'build' (loop 1)
      15  +1 min 4 s  review#1@2 returned too late: discarded
      16  +1 min 4 s  build#2@1 started (agent build-agent)
      17  +1 min 5 s  build#2@1 completed in 1 s, produced dist/app.js
      18  +1 min 5 s  review#2@1 started (agent review-agent)
      19  +1 min 5 s  review#2@1 gate passed
      20  +1 min 5 s  review#2@1 completed in 500 ms
      21  +1 min 5 s  publish#1@1 started (agent publish-agent)
      22  +1 min 5 s  publish#1@1 completed in 0 ms
      23  +1 min 5 s  run completed"
    `)
  })

  test('never writes a line that is longer than asked for, and loses no word', () => {
    const rows = timelineOf(sampleEvents())
    const text = formatHistory(rows, 40)
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(40)
    const joined = text.replaceAll(/\s+/g, '')
    for (const row of rows) expect(joined).toContain(row.text.replaceAll(/\s+/g, ''))
  })

  test('tells a step that recovery finished, and a change that a resume accepted, from the ordinary', () => {
    const event = eventBuilder()
    const finish = {
      kind: 'step_finish',
      status: 'completed',
      output: null,
      artifacts: [artifact('dist/app.js')],
      durationMs: 5,
    } as const
    const [start] = sampleEvents()
    const events = [
      ...(start === undefined ? [] : [start]),
      event(0, { ...finish, ...stepContext('plan') }),
      { ...event(0, { ...finish, ...stepContext('build') }), epoch: 2 },
      event(0, { kind: 'workflow_resume', status: 'running', owner: 'two', restarts: [] }),
      { ...event(0, { kind: 'artifact_edit', status: 'edited', artifact: artifact('a.md') }), durableSeq: 0 },
      event(0, { kind: 'artifact_edit', status: 'edited', artifact: artifact('b.md') }),
      event(0, { ...finish, ...stepContext('review') }),
    ]
    expect(
      timelineOf(events)
        .slice(1)
        .map(({ text }) => text),
    ).toEqual([
      'plan#1@1 completed in 5 ms, produced dist/app.js',
      'build#1@1 completed by recovery from what it had prepared, produced dist/app.js',
      'resumed: restarts no step',
      'a.md had been changed from outside: accepted as it is (12 bytes)',
      'b.md edited from outside (12 bytes)',
      'review#1@1 completed in 5 ms, produced dist/app.js',
    ])
  })
})

test('text is broken between words, a word that is too long within itself', () => {
  expect(wrapped('one two three', 7)).toEqual(['one two', 'three'])
  expect(wrapped('a 0123456789 b', 4)).toEqual(['a', '0123', '4567', '89 b'])
  expect(wrapped('', 4)).toEqual([''])
})
