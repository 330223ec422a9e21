import { describe, expect, test } from 'vitest'
import { formatTimeline, timelineMarkdown, timelineOf } from '../../../src/trace/index.ts'
import { eventBuilder, sampleEvents, stepContext } from '../../support/sample-run.ts'

describe('the timeline', () => {
  test('has one row per event, with the time since the first one', () => {
    const rows = timelineOf(sampleEvents())
    expect(rows).toHaveLength(sampleEvents().length)
    expect(rows[9]).toEqual({
      seq: 9,
      at: 1_700_000_003_250,
      offsetMs: 3_250,
      kind: 'step_fail',
      step: 'review',
      visit: 1,
      attempt: 2,
      status: 'failed',
      text: 'review#1@2 failed: model overloaded (exception)',
    })
  })

  test('says what happened in one sentence per event', () => {
    expect(formatTimeline(timelineOf(sampleEvents()))).toMatchInlineSnapshot(`
      "   0       +0 ms  run started: 4 steps, seed 1
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
        14  +1 min 4 s  review#1@3 gate failed: overall 60 is below 80; returns to 'build' (loop 1)
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

  test('keeps a row on one line when a message has several', () => {
    const event = eventBuilder()
    const error = { kind: 'exception', message: 'first\n  second\r\nthird' } as const
    const fail = event(0, {
      kind: 'step_fail',
      status: 'failed',
      ...stepContext('plan'),
      error,
      durationMs: 1,
    })
    expect(timelineOf([fail])[0]?.text).toBe('plan#1@1 failed: first second third (exception)')
  })

  test('says what recovery and the user changed', () => {
    const event = eventBuilder()
    const rows = timelineOf([
      event(0, { kind: 'workflow_cancel', status: 'cancelled', reason: 'stopped by hand' }),
      event(0, { kind: 'workflow_end', status: 'cancelled' }),
      event(0, {
        kind: 'workflow_resume',
        status: 'running',
        owner: 'x',
        restarts: [],
        reopensLoopOf: 'review',
      }),
      event(0, {
        kind: 'gate_result',
        status: 'failed',
        ...stepContext('review'),
        output: null,
        route: { to: 'fail' },
      }),
    ])
    expect(rows.map((row) => row.text)).toEqual([
      'cancelled: stopped by hand',
      'run cancelled',
      "resumed: restarts no step; opens the loop of 'review' again",
      'review#1@1 gate failed; fails the run',
    ])
  })

  test('is empty for no events', () => {
    expect(formatTimeline(timelineOf([]))).toBe('')
  })
})

describe('the terminal form', () => {
  test('shows a window around the failure, marks its row and counts what it leaves out', () => {
    expect(formatTimeline(timelineOf(sampleEvents()), { around: 9, limit: 4, width: 60 }))
      .toMatchInlineSnapshot(`
      "  ... 7 earlier rows
         7  +1.75 s  review#1@1 failed: model overloaded (excepti…
         8  +2.75 s  review#1@2 started (agent review-agent)
      >  9  +3.25 s  review#1@2 failed: model overloaded (excepti…
        10  +3.25 s  run failed at review: model overloaded (exce…
        ... 13 later rows"
    `)
  })

  test('keeps the last rows when no row is marked', () => {
    expect(formatTimeline(timelineOf(sampleEvents()), { limit: 2 })).toMatchInlineSnapshot(`
      "  ... 22 earlier rows
        22  +1 min 5 s  publish#1@1 completed in 0 ms
        23  +1 min 5 s  run completed"
    `)
  })

  test('never writes a line that is longer than asked for', () => {
    const lines = formatTimeline(timelineOf(sampleEvents()), { width: 30 }).split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBe(30)
  })
})

describe('the Markdown form', () => {
  test('is a table with the failure in bold', () => {
    expect(timelineMarkdown(timelineOf(sampleEvents()), { around: 10, limit: 4 })).toMatchInlineSnapshot(`
      "8 earlier rows

      | # | time | step | status | what happened |
      |--:|-----:|------|--------|---------------|
      | 8 | +2.75 s | review#1@2 | running | review#1@2 started (agent review-agent) |
      | 9 | +3.25 s | review#1@2 | failed | review#1@2 failed: model overloaded (exception) |
      | 10 | +3.25 s | review | failed | **run failed at review: model overloaded (exception)** |
      | 11 | +3.25 s |  | edited | notes.md edited from outside (12 bytes) |

      12 later rows"
    `)
  })

  test('cannot be broken by what a message contains', () => {
    const event = eventBuilder()
    const error = { kind: 'exception', message: 'a | b <img> `c` *d*' } as const
    const fail = event(0, {
      kind: 'step_fail',
      status: 'failed',
      ...stepContext('plan'),
      error,
      durationMs: 1,
    })
    expect(
      timelineMarkdown(timelineOf([fail]))
        .split('\n')
        .at(-1),
    ).toBe(
      '| 0 | +0 ms | plan#1@1 | failed | plan#1@1 failed: a \\| b \\<img\\> \\`c\\` \\*d\\* (exception) |',
    )
  })
})
