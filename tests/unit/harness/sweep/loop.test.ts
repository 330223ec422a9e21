import { describe } from 'vitest'
import { reviewLoop } from '../../../support/swept-workflows.ts'
import { survivesEveryFault } from './survives.ts'

describe('a review loop', () => {
  survivesEveryFault(reviewLoop)
})
