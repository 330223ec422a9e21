import { describe, expect, test } from 'vitest'
import { eventSearch, searchLogs, type EventFilter } from '../../../src/viewer/search.ts'
import { sessionData } from '../../support/page-data.ts'

const session = sessionData()
const search = eventSearch(session.events)
const all: EventFilter = { words: '', kind: '', step: '', problemsOnly: false }

describe('the search of events', () => {
  test('lets all through without a filter', () => {
    expect(search(all)).toHaveLength(session.events.length)
  })

  test('finds words in any order and case, also in what an event holds besides its row', () => {
    expect(found({ words: 'OVERLOADED review' })).toEqual(['step_retry', 'step_fail', 'workflow_end'])
    expect(found({ words: 'modelerror step_fail' })).toEqual(['step_fail'])
    expect(found({ words: 'nowhere' })).toEqual([])
  })

  test('filters by kind, step and problem, all at once', () => {
    expect(found({ kind: 'gate_result' })).toEqual(['gate_result', 'gate_result'])
    expect(found({ step: 'publish' })).toEqual(['step_start', 'step_finish'])
    expect(found({ step: 'review', problemsOnly: true })).toEqual([
      'step_retry',
      'step_fail',
      'workflow_end',
      'gate_result',
      'late_result',
    ])
  })

  function found(change: Partial<EventFilter>): (string | undefined)[] {
    return search({ ...all, ...change }).map((position) => session.events[position]?.kind)
  }
})

test('the search of logs finds words in message, level and step', () => {
  expect(searchLogs(session.logs, 'WARN slow').map(({ message }) => message)).toEqual(['the model is slow'])
  expect(searchLogs(session.logs, 'plan')).toHaveLength(1)
  expect(searchLogs(session.logs, ' ')).toHaveLength(2)
})
