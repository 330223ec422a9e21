import { expect, test } from 'vitest'
import { bundleErrors, failureReason } from '../../../src/vitest/failure.ts'

const calm = { phase: 'body', timedOut: false, runFailed: false, swept: false } as const

test.each([
  ['timeout', [{ message: 'x' }], { ...calm, timedOut: true }],
  ['set-up', [{ message: 'x' }], { ...calm, phase: 'set-up' }],
  ['set-up', [{ message: 'Hook timed out' }], { ...calm, phase: 'set-up', timedOut: true }],
  ['clean-up', [{ message: 'x' }], { ...calm, phase: 'clean-up' }],
  ['unfired-fault', [{ code: 'FAULT_UNFIRED' }], calm],
  ['assertion', [{ name: 'AssertionError' }], calm],
  ['assertion', [{ name: 'Error', actual: 1, expected: 2 }], calm],
  ['assertion', [{ name: 'FaultlineError', code: 'ARTIFACTS_WRONG' }], { ...calm, runFailed: true }],
  ['step-error', [{ name: 'TypeError' }], { ...calm, runFailed: true }],
  ['invariant', [{ name: 'AssertionError' }], { ...calm, runFailed: true, swept: true }],
  ['error', [{ name: 'TypeError' }], calm],
  ['error', [], calm],
] as const)('a failure is told as %s', (reason, errors, circumstances) => {
  expect(failureReason(errors, circumstances)).toBe(reason)
})

test('an error is kept as far as it tells anything', () => {
  expect(bundleErrors([{}, { name: 'TypeError', message: 'x', stack: 'at y' }])).toEqual([
    { name: 'Error', message: 'unknown error', stack: null },
    { name: 'TypeError', message: 'x', stack: 'at y' },
  ])
})
