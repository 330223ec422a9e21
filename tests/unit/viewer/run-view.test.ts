import { describe, expect, test } from 'vitest'
import { runViewAt } from '../../../src/viewer/run-view.ts'
import type { EventData } from '../../../src/viewer/page-data.ts'
import { sessionData } from '../../support/page-data.ts'

const session = sessionData()

describe('the run at an event', () => {
  test('begins with every step pending', () => {
    const { after, changes } = runViewAt(session, 0)
    expect(changes).toEqual([{ path: 'status', before: 'new', after: 'running' }])
    expect(Object.values(after.steps).map(({ status }) => status)).toEqual([
      'pending',
      'pending',
      'pending',
      'pending',
    ])
  })

  test('tells what that event changed and nothing before it', () => {
    const finished = session.events.findIndex(({ kind, step }) => kind === 'step_finish' && step === 'build')
    expect(runViewAt(session, finished).changes).toEqual([
      { path: 'artifacts["dist/app.js"]', before: undefined, after: 'a'.repeat(64) },
      { path: 'steps.build.output', before: undefined, after: { files: 1 } },
      { path: 'steps.build.status', before: 'running', after: 'completed' },
    ])
  })

  test('ends as the run ended', () => {
    const { after } = runViewAt(session, session.events.length - 1)
    expect(after.status).toBe('completed')
    expect(after.steps['review']).toMatchObject({ status: 'completed', visit: 2, attempt: 1 })
    expect(after.artifacts).toEqual({ 'notes.md': 'e'.repeat(64), 'dist/app.js': 'b'.repeat(64) })
  })

  test('takes a step that its gate sent back for returned', () => {
    const looped = session.events.findIndex(
      ({ kind, status }) => kind === 'gate_result' && status === 'failed',
    )
    expect(runViewAt(session, looped).after.steps['review']?.status).toBe('returned')
  })

  test('takes the names of other kinds for what they say', () => {
    const plain = { offsetMs: 0, step: null, visit: null, attempt: null, text: '', body: {} }
    const at = (...events: readonly object[]): string[] => {
      const all = [
        session.events[0],
        ...events.map((event, index) => ({ ...plain, seq: index + 1, ...event })),
      ]
      const { after } = runViewAt({ ...session, events: all as EventData[] }, all.length - 1)
      return [after.status, after.steps['plan']?.status ?? '']
    }
    const plan = { step: 'plan', visit: 1, attempt: 1 }
    expect(at({ kind: 'workflow_pause', status: 'paused' })).toEqual(['paused', 'pending'])
    expect(at({ kind: 'step_skip', ...plan, attempt: null, status: 'skipped' })).toEqual([
      'running',
      'skipped',
    ])
    expect(at({ kind: 'gate_wait', ...plan, status: 'waiting' })).toEqual(['running', 'waiting'])
    expect(at({ kind: 'undo_finish', ...plan, status: 'completed' })).toEqual(['running', 'undo completed'])
    expect(at({ kind: 'moon_phase', ...plan, status: 'full' })).toEqual(['running', 'pending'])
  })
})
