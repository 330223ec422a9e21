import { beforeAll, expect, test } from 'vitest'
import { builtInInvariants, judge } from '../../../../src/harness/invariants/index.ts'
import type { Evidence } from '../../../../src/harness/invariants/index.ts'
import { watchedRun } from '../../../support/evidence.ts'
import { eventsIn, logPathOf, statePathOf, withFile, withRawEvents } from '../../../support/tamper.ts'
import { agents, release } from './evidences.ts'

let plain: Evidence
beforeAll(async () => {
  const run = await watchedRun(release, { agents })
  await run.move((session) => session.runToEnd())
  plain = await run.evidence()
})

test('every flipped byte of the log is found', { timeout: 60_000 }, async () => {
  const path = logPathOf(plain)
  expect(await unnoticed('O5', flips(path), path)).toEqual([])
})

test('a flipped byte of state.json is found, wherever it is', { timeout: 60_000 }, async () => {
  const path = statePathOf(plain)
  const some = flips(path).filter((_, index) => index % 5 === 0)
  expect(await unnoticed('O7', some, path)).toEqual([])
})

test('every cut of the log is found', { timeout: 60_000 }, async () => {
  const path = logPathOf(plain)
  const bytes = bytesOf(path)
  const cuts = Array.from(bytes, (_, length) => bytes.subarray(0, length))
  const [inside, atLineEnds] = [
    cuts.filter((cut) => cut.at(-1) !== 0x0a),
    cuts.filter((cut) => cut.at(-1) === 0x0a),
  ]
  expect(await unnoticed('O5', inside, path)).toEqual([])
  // A log that ends with a line shows no damage, but no longer says what the caller was told.
  expect(await unnoticed('O8', atLineEnds, path)).toEqual([])
  expect(atLineEnds).toHaveLength(22)
})

test.each([undefined, 'x', -1])(
  'an event with %o in place of any field is found, and trips no checker',
  { timeout: 60_000 },
  async (value) => {
    const passed: string[] = []
    for (const [index, event] of eventsIn(plain.files, logPathOf(plain)).entries()) {
      for (const field of Object.keys(event)) {
        if (isFree(field, value)) continue
        const broken = withRawEvents(plain, (events) => events.with(index, { ...event, [field]: value }))
        const { violations } = await judge(broken)
        if (violations.length === 0) passed.push(`${String(event['kind'])}.${field}`)
      }
    }
    expect(passed).toEqual([])
  },
)

/** Which of the given bytes of a file the invariant lets pass, by index. */
async function unnoticed(invariant: string, variants: readonly Uint8Array[], path: string) {
  const only = builtInInvariants.filter(({ name }) => name === invariant)
  const passed: number[] = []
  for (const [index, bytes] of variants.entries()) {
    const { violations } = await judge({ ...plain, files: withFile(plain.files, path, bytes) }, only)
    if (violations.length === 0) passed.push(index)
  }
  return passed
}

function flips(path: string): readonly Uint8Array[] {
  const bytes = bytesOf(path)
  return Array.from(bytes, (byte, index) => bytes.with(index, byte ^ (1 << (index % 8))))
}

function bytesOf(path: string): Uint8Array {
  return plain.files.get(path) as Uint8Array
}

/** An owner may be called anything, and a line may know less to be durable than is. */
function isFree(field: string, value: unknown): boolean {
  return (field === 'owner' && value === 'x') || (field === 'durableSeq' && value === -1)
}
