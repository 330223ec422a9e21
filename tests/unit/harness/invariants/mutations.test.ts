import { beforeAll, expect, test } from 'vitest'
import { builtInInvariants, judge } from '../../../../src/harness/invariants/index.ts'
import { soundEvidences } from './evidences.ts'
import type { SoundEvidences } from './evidences.ts'
import { mutations } from './mutations.ts'

let sound: SoundEvidences
beforeAll(async () => {
  sound = await soundEvidences()
})

test.each(mutations)('$invariant finds: $tampering', async ({ invariant, sound: name, tamper, says }) => {
  const evidence = tamper(sound[name])
  const { violations } = await judge(
    evidence,
    builtInInvariants.filter((other) => other.name === invariant),
  )
  expect(violations.map(({ sentence }) => sentence.replaceAll(evidence.runId, '<run>'))).toEqual(
    [says].flat(),
  )
})
