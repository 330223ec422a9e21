import { expect, test } from 'vitest'
import { withoutStacks } from '../../../src/core/index.ts'

test('errors made without stacks have none, and those made afterwards have theirs', async () => {
  const made = withoutStacks(() => new Error('first'))
  expect(made.stack).toBe('Error: first')
  const thrown = (): never => {
    throw new Error('second')
  }
  expect(() => withoutStacks(thrown)).toThrow('second')
  expect(new Error('third').stack).toContain('errors.test.ts')
  const later = withoutStacks(async () => {
    await Promise.resolve()
    return new Error('fourth')
  })
  expect((await later).stack).toContain('errors.test.ts')
})
