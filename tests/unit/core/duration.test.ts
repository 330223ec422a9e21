import { expect, test } from 'vitest'
import { formatDuration } from '../../../src/core/index.ts'

test.for([
  [0, '0 ms'],
  [999, '999 ms'],
  [1_000, '1 s'],
  [1_234, '1.23 s'],
  [59_994, '59.99 s'],
  [59_999, '1 min'],
  [65_400, '1 min 5 s'],
  [119_600, '2 min'],
  [3_599_600, '1 h'],
  [5_400_000, '1 h 30 min'],
  [86_399_999, '1 d'],
  [100 * 3_600_000, '4 d 4 h'],
])('%i milliseconds read as %s', ([ms, text]) => {
  expect(formatDuration(ms as number)).toBe(text)
})
