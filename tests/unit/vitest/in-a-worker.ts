import type { RunnerTest } from '../../../src/vitest/compatibility.ts'
import type { JournalledTry } from '../../../src/vitest/journal.ts'
import { defaultLimits } from '../../../src/vitest/settings.ts'
import type { FaultlineSettings } from '../../../src/vitest/settings.ts'

export type Result = NonNullable<RunnerTest['result']>

/** A test as Vitest hands it to a fixture: its result changes while the recorder follows it. */
export function runnerTest(change: Partial<RunnerTest> = {}): RunnerTest & { result: Result } {
  const file = { name: 'tests/shop.test.ts', projectName: '', tasks: [] }
  const task = { name: 'sells', file, suite: { name: 'shop', file }, meta: {}, tags: [], timeout: 5_000 }
  return { ...task, result: { state: 'run' }, ...change } as unknown as RunnerTest & { result: Result }
}

/** What the plugin tells a worker whose bundles go to a folder. */
export function settingsIn(root: string, change: Partial<FaultlineSettings> = {}): FaultlineSettings {
  return {
    root,
    testRoot: root,
    projectsRoot: null,
    bundles: 'bundles',
    bundleSlots: null,
    journals: null,
    silence: null,
    templates: null,
    keep: 'never',
    seed: 1,
    limits: defaultLimits,
    redact: [],
    replay: null,
    vitest: '4.1.12',
    faultline: '0.1.0',
    ...change,
  }
}

/** What the journal is told of a test that begins. */
export function begun(name: string, timeoutMs: number | null = 5_000): JournalledTry {
  return {
    identity: {
      project: null,
      file: 'shop.test.ts',
      fullName: name,
      line: null,
      tags: [],
      timeoutMs,
      attempt: 1,
      repeat: null,
    },
    name,
    seed: 7,
    correlationId: `test-${name}`,
  }
}
