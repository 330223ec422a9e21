import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { JournalLine } from '../../../src/vitest/journal.ts'
import type { SilenceLimits } from '../../../src/vitest/settings.ts'
import { createWatchdog } from '../../../src/vitest/watchdog.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { begun, settingsIn } from './in-a-worker.ts'

function append(folder: string, ...lines: readonly JournalLine[]): void {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  appendFileSync(join(folder, 'worker.jsonl'), text)
}

/** The journal of a worker with tests of these limits under way. */
function working(silence: SilenceLimits | null, ...timeouts: readonly (number | null)[]): string {
  const folder = temporaryFolder()
  append(folder, { kind: 'worker', pid: 1, settings: settingsIn(folder, { silence }), secrets: [] })
  timeouts.forEach((timeoutMs, index) =>
    append(folder, { kind: 'try', id: index + 1, ...begun('loops', timeoutMs) }),
  )
  return folder
}

/** After how many further looks, a second apart, a worker that stays silent is given up; undefined: not within 50. */
function givenUpAfter(folder: string): number | undefined {
  const watchdog = createWatchdog(folder, 1_000)
  watchdog.look()
  const looks = Array.from({ length: 50 }, () => watchdog.look().length)
  expect(looks.filter((found) => found > 0).length).toBeLessThanOrEqual(1)
  const found = looks.indexOf(1)
  return found === -1 ? undefined : found + 1
}

test.each([
  ['the limit of its test and the grace', { hookMs: 1_000, graceMs: 2_000 }, [5_000], 7],
  ['the longest limit of its tests', { hookMs: 1_000, graceMs: 2_000 }, [5_000, 9_000], 11],
  ['the limit of hooks, where that is longer', { hookMs: 10_000, graceMs: 2_000 }, [5_000], 12],
  ['a part of a second too', { hookMs: 1, graceMs: 1 }, [2_100], 3],
])('a worker is given up once, after %s', (_, silence, timeouts, looks) => {
  expect(givenUpAfter(working(silence, ...timeouts))).toBe(looks)
})

test.each([
  ['without a test under way', { hookMs: 1_000, graceMs: 1_000 }, []],
  ['whose test has no limit', { hookMs: 1_000, graceMs: 1_000 }, [1_000, null]],
  ['whose test is let run on', { hookMs: 1_000, graceMs: 1_000 }, [0]],
  ['whose hooks have no limit', { hookMs: 0, graceMs: 1_000 }, [1_000]],
  ['at a breakpoint', null, [1_000]],
])('a worker %s is never given up', (_, silence, timeouts) => {
  expect(givenUpAfter(working(silence, ...timeouts))).toBeUndefined()
})

test('a worker that gives a sign of life is waited for anew', () => {
  const folder = working({ hookMs: 1_000, graceMs: 1_000 }, 2_000)
  const watchdog = createWatchdog(folder, 1_000)
  const look = (times: number): readonly number[] =>
    Array.from({ length: times }, () => watchdog.look().length)
  expect(look(3)).toEqual([0, 0, 0])
  appendFileSync(join(folder, 'worker.jsonl'), '\n')
  expect(look(4)).toEqual([0, 0, 0, 1])
})
