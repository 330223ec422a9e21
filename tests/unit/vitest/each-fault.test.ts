import { expect, test } from 'vitest'
import { parseFaultOption } from '../../../src/cli/fault-option.ts'
import { defineWorkflow, loadWorkflow } from '../../../src/engine/index.ts'
import { checkFaultPlan, everyFault, faultPlan } from '../../../src/fault-injection/index.ts'
import { faultName } from '../../../src/vitest/each-fault.ts'

const limited = defineWorkflow({
  id: 'limited',
  settings: { timeout: '1m' },
  steps: [
    { id: 'draft', agent: 'writer' },
    { id: 'review', agent: 'reviewer', gate: { condition: 'true' } },
  ],
})

test('every single fault that fits a workflow has a name of its own, which the command line reads as the same fault', async () => {
  const { definition } = await loadWorkflow(limited)
  const faults = everyFault(definition)
  checkFaultPlan(faultPlan(faults), definition)
  expect(faults.map(faultName)).toEqual([
    'agent-error:draft',
    'agent-error:draft,moment=after',
    'step-timeout:draft',
    'workflow-timeout:draft',
    'agent-error:review',
    'agent-error:review,moment=after',
    'step-timeout:review',
    'workflow-timeout:review',
    'gate-failure:review',
    'gate-failure:review,mode=throw',
  ])
  for (const fault of faults) {
    const { at, ...rest } = parseFaultOption(`${faultName(fault)},times=1`)
    expect({ ...rest, at }).toEqual({ ...fault, at: { ...(fault.at as object), times: 1 } })
  }
})
