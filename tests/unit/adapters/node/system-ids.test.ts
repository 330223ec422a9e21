import { expect, test } from 'vitest'
import { createSystemIds } from '../../../../src/adapters/node/index.ts'
import { isId } from '../../../../src/core/index.ts'

const ids = createSystemIds()

test('a run id tells workflow and time, and no two are alike', () => {
  const before = Date.now()
  const first = ids.runId('release')
  const [, year, month, day, hour, minute, second] =
    /^release-(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})-[0-9a-f]{8}$/.exec(first) ?? []
  const at = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  )
  expect(at).toBeGreaterThan(before - 1_000)
  expect(at).toBeLessThanOrEqual(Date.now())
  expect(ids.runId('release')).not.toBe(first)
})

test('a run id stays a valid id for the longest workflow id', () => {
  expect(isId(ids.runId('w'.repeat(128)))).toBe(true)
})
