import { beforeAll, describe, expect, test } from 'vitest'
import { builtInInvariants, judge } from '../../../../src/harness/invariants/index.ts'
import { soundEvidences } from './evidences.ts'
import type { SoundEvidences } from './evidences.ts'

let sound: SoundEvidences
beforeAll(async () => {
  sound = await soundEvidences()
})

describe('a sound run', () => {
  test.each([
    'plain',
    'crashed',
    'crashedInRecovery',
    'troubled',
    'failed',
    'resumed',
    'torn',
    'refused',
    'edited',
    'overtime',
  ] as const)('%s breaks no invariant', async (name) => {
    const { violations, notJudged } = await judge(sound[name])
    expect(violations.map(({ invariant, sentence }) => `${invariant}: ${sentence}`)).toEqual([])
    expect(notJudged).toEqual(notJudgedOf(name))
  })
})

function notJudgedOf(name: keyof SoundEvidences): readonly object[] {
  if (name === 'crashedInRecovery') return []
  if (name !== 'refused') {
    return [{ invariant: 'O10', why: 'a crash in the recovery: none of the lives ended in one' }]
  }
  const why = 'a fault damaged what is on disk, and the run was refused for that'
  const judged = ['O0', 'O1', 'O11', 'O17', 'O19']
  return builtInInvariants.flatMap(({ name: invariant }) =>
    judged.includes(invariant) ? [] : [{ invariant, why }],
  )
}
