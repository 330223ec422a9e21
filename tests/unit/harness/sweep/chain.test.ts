import { describe } from 'vitest'
import { chainOfSix } from '../../../support/swept-workflows.ts'
import { survivesEveryFault } from './survives.ts'

describe('a chain of six', () => {
  survivesEveryFault(chainOfSix)
})
