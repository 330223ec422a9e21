import { describe } from 'vitest'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import { reviewLoop } from '../../../support/swept-workflows.ts'
import { survivesEveryFault } from './survives.ts'

describe('a review loop', () => {
  survivesEveryFault(defineWorkflow(reviewLoop))
})
