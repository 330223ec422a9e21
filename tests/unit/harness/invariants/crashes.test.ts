import { beforeAll, expect, test } from 'vitest'
import { canonicalOutcome, judge } from '../../../../src/harness/invariants/index.ts'
import type { CanonicalOutcome } from '../../../../src/harness/invariants/index.ts'
import { watchedRun } from '../../../support/evidence.ts'
import type { WatchedRun } from '../../../support/evidence.ts'
import { agents, release } from './evidences.ts'

// The checkers against the real engine: what they say of sound runs would be their own fault.

let reference: CanonicalOutcome
beforeAll(async () => {
  const plain = await watchedRun(release, { agents })
  await plain.move((session) => session.runToEnd())
  reference = await canonicalOutcome(await plain.evidence())
})

test('a power loss at any write of a run breaks no invariant', { timeout: 60_000 }, async () => {
  const said: string[] = []
  let write = 1
  for (; ; write++) {
    const run = await watchedRun(release, { agents })
    if (!(await run.crashAtWrite(write, { disk: 'power-min' }))) break
    await run.resume()
    said.push(...(await violationsOf(run)).map((sentence) => `write ${write}: ${sentence}`))
  }
  expect(said).toEqual([])
  expect(write).toBeGreaterThan(50)
})

test.each(['kill', 'power-min'] as const)(
  'a crash at any write of a recovery breaks no invariant (%s)',
  { timeout: 60_000 },
  async (disk) => {
    const said: string[] = []
    let write = 1
    for (; ; write++) {
      const run = await watchedRun(release, { agents })
      await run.crashAtWrite(30, { disk })
      if (!(await run.crashInResume(write, { disk }))) break
      await run.resume()
      said.push(...(await violationsOf(run)).map((sentence) => `write ${write}: ${sentence}`))
    }
    expect(said).toEqual([])
    expect(write).toBeGreaterThan(5)
  },
)

async function violationsOf(run: WatchedRun): Promise<readonly string[]> {
  await run.move((session) => session.runToEnd())
  const { violations } = await judge(await run.evidence({ reference }))
  return violations.map(({ invariant, sentence }) => `${invariant}: ${sentence}`)
}
