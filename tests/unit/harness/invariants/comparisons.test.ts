import { beforeAll, describe, expect, test } from 'vitest'
import { clockJumps, compareRuns, determinism, schedules } from '../../../../src/harness/invariants/index.ts'
import type { Evidence, RunComparison } from '../../../../src/harness/invariants/index.ts'
import {
  change,
  copy,
  eventsIn,
  logOf,
  logPathOf,
  move,
  remove,
  withEvents,
  withFile,
} from '../../../support/tamper.ts'
import { soundEvidences } from './evidences.ts'
import type { SoundEvidences } from './evidences.ts'

let sound: SoundEvidences
beforeAll(async () => {
  sound = await soundEvidences()
})

async function said(runs: readonly Evidence[], comparison: RunComparison): Promise<readonly string[]> {
  const { violations } = await compareRuns(runs, comparison)
  return violations.map(({ invariant, sentence }) => `${invariant}: ${sentence}`)
}

describe('O14: jumps of the clock', () => {
  test('may change every instant', async () => {
    const later = withEvents(sound.plain, (events) =>
      events.map((event, index) => ({ ...event, at: index * 3_600_000 })),
    )
    const result = await compareRuns([sound.plain, later], clockJumps)
    expect(result).toEqual({ violations: [], judged: ['O14'], notJudged: [], notes: [] })
  })

  test('may not change the order', async () => {
    const swapped = withEvents(sound.plain, move('step_finish docs#1@1', 'step_finish build#1@1'))
    expect(await said([sound.plain, swapped], clockJumps)).toEqual([
      'O14: Run 2 of 2: With the clock moved, event 10 is step_finish docs#1@1, and step_finish build#1@1 without.',
    ])
  })

  test('may not lose an event', async () => {
    const shorter = withEvents(sound.plain, remove('workflow_end'))
    expect(await said([sound.plain, shorter], clockJumps)).toEqual([
      'O14: Run 2 of 2: With the clock moved, event 22 is the end, and workflow_end without.',
    ])
  })
})

describe('O16: other schedules', () => {
  test('may change the way', async () => {
    const { plain, crashed, troubled } = sound
    expect(await said([plain, crashed, troubled], schedules)).toEqual([])
  })

  test('may not change the end', async () => {
    const { plain, crashed } = sound
    const other = { ...crashed, files: withFile(crashed.files, 'docs.md', '') }
    expect(await said([plain, crashed, other], schedules)).toEqual([
      `O16: Run 3 of 3: File 'docs.md' has other bytes than under the first schedule.`,
    ])
  })
})

describe('O18: the same plan', () => {
  test('gives the same events, whatever the run and its owner are called', async () => {
    const key = `${sound.plain.runId}/ship#1`
    const plain = withEvents(sound.plain, change('step_finish ship#1@1', { output: { key } }))
    const path = '.workflow/runs/release-2/events.jsonl'
    const events = eventsIn(plain.files, logPathOf(plain)).map((event) => ({
      ...(JSON.parse(JSON.stringify(event).replaceAll(plain.runId, 'release-2')) as object),
      correlationId: 'other',
      durableSeq: -1,
      ...('owner' in event ? { owner: 'other', launch: { mock: true } } : {}),
    }))
    const again = { ...plain, runId: 'release-2', files: withFile(plain.files, path, logOf(events)) }
    expect(await said([plain, again], determinism)).toEqual([])
  })

  test('may not give another output', async () => {
    const other = withEvents(sound.plain, change('step_finish docs#1@1', { output: { step: 'dogs' } }))
    expect(await said([sound.plain, other], determinism)).toEqual([
      'O18: Run 2 of 2: Event 12 (step_finish) has output.good missing, and true the first time.',
      'O18: Run 2 of 2: Event 12 (step_finish) has output.step "dogs", and "docs" the first time.',
    ])
  })

  test('may not give an event more', async () => {
    const longer = withEvents(sound.plain, copy('workflow_end', {}, 'workflow_end'))
    expect(await said([longer, sound.plain], determinism)).toEqual([
      'O18: Run 2 of 2: The run ended after 23 events, and after 24 the first time.',
    ])
  })

  test('may take other times under the real clock, and only there', async () => {
    const slower = withEvents(sound.plain, change('step_finish docs#1@1', { durationMs: 7 }))
    const onRealClock = [sound.plain, slower].map((run) => ({ ...run, clock: 'real' as const }))
    expect(await said(onRealClock, determinism)).toEqual([])
    expect(await said([sound.plain, slower], determinism)).toEqual([
      'O18: Run 2 of 2: Event 12 (step_finish) has durationMs 7, and 0 the first time.',
    ])
  })
})

test('one run alone is not compared', async () => {
  await expect(compareRuns([sound.plain], schedules)).rejects.toMatchObject({
    code: 'CONFIGURATION_INVALID',
    message: `Invariant 'O16' compares runs, and one alone was given: give two or more.`,
  })
  await expect(compareRuns([], determinism)).rejects.toThrow('none was given')
})
