import { expect, test } from 'vitest'
import { failureReason } from '../../../src/vitest/failure.ts'

const calm = { timedOut: false, settingUp: false }

test.each([
  ['timeout', [{ message: 'x' }], { timedOut: true, settingUp: false }],
  ['set-up', [{ message: 'x' }], { timedOut: false, settingUp: true }],
  ['unfired-fault', [{ code: 'FAULT_UNFIRED' }], calm],
  ['assertion', [{ name: 'AssertionError' }], calm],
  ['assertion', [{ name: 'Error', actual: 1, expected: 2 }], calm],
  ['step-error', [{ name: 'TypeError' }], calm],
] as const)('a failure is told as %s', (reason, errors, circumstances) => {
  expect(failureReason(errors, circumstances)).toBe(reason)
})
