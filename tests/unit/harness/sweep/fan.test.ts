import { describe } from 'vitest'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import { fanOutOfFive } from '../../../support/swept-workflows.ts'
import { survivesEveryFault } from './survives.ts'

describe('a fan-out of five with a join', () => {
  survivesEveryFault(defineWorkflow(fanOutOfFive))
})
