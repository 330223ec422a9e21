import { describe, expect, test } from 'vitest'
import { parseFaultOption } from '../../../src/cli/fault-option.ts'

describe('a fault on the command line', () => {
  test.each([
    ['agent-error:review', { fault: 'agent-error', at: { step: 'review', times: 'until-failed' } }],
    [
      'agent-error:review,attempt=2,times=1,message=model overloaded',
      {
        fault: 'agent-error',
        at: { step: 'review', times: 1, attempt: 2 },
        params: { message: 'model overloaded' },
      },
    ],
    [
      'gate-failure:review,mode=throw',
      { fault: 'gate-failure', at: { step: 'review', times: 'until-failed' }, params: { mode: 'throw' } },
    ],
  ])('reads %s', (text, fault) => {
    expect(parseFaultOption(text)).toEqual(fault)
  })

  test.each(['agent-error', 'agent-error:', ':review', 'agent-error:review,attempt'])(
    'refuses %s',
    (text) => {
      expect(() => parseFaultOption(text)).toThrow(
        `'${text}' is not a fault: write <kind>:<step>, such as agent-error:review, with more after commas: agent-error:review,attempt=2,message=overloaded.`,
      )
    },
  )
})
