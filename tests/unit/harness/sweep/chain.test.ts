import { describe } from 'vitest'
import { defineWorkflow } from '../../../../src/engine/index.ts'
import { chainOfSix } from '../../../support/swept-workflows.ts'
import { survivesEveryFault } from './survives.ts'

describe('a chain of six', () => {
  survivesEveryFault(defineWorkflow(chainOfSix))
})
