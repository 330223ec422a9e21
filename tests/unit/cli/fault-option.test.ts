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
      'http-failure:ask,mode=status,status=500,times=1',
      { fault: 'http-failure', at: { step: 'ask', times: 1 }, params: { mode: 'status', status: 500 } },
    ],
    ['http-failure:ask', { fault: 'http-failure', at: { step: 'ask', times: 'until-failed' } }],
    [
      'gate-failure:review,mode=throw',
      { fault: 'gate-failure', at: { step: 'review', times: 'until-failed' }, params: { mode: 'throw' } },
    ],
  ])('reads %s', (text, fault) => {
    expect(parseFaultOption(text)).toEqual(fault)
  })

  test('keeps a comma that belongs to a value', () => {
    expect(parseFaultOption('agent-error:review,message=slow, then dead,attempt=2')).toEqual({
      fault: 'agent-error',
      at: { step: 'review', times: 'until-failed', attempt: 2 },
      params: { message: 'slow, then dead' },
    })
  })

  test.each([
    ['agent-eror:review', `'agent-eror' is not a kind of fault. Did you mean 'agent-error'?`],
    ['agent-error', `it names no step. Write <kind>:<step>[,key=value...], for example agent-error:review.`],
    ['agent-error:', `it names no step.`],
    ['agent-error:review,atempt=2', `agent-error has no setting 'atempt'. Did you mean 'attempt'?`],
    ['step-timeout:review,message=x', `step-timeout has no setting 'message'.`],
    ['agent-error:review,attempt=2,attempt=3', `'attempt' is given twice.`],
    ['agent-error:review,attempt=0', `'attempt' must be a whole number from 1, not '0'.`],
    [
      'agent-error:review,times=often',
      `'times' must be a whole number from 1 or 'until-failed', not 'often'.`,
    ],
    ['gate-failure:review,mode=shout', `'mode' must be 'fail' or 'throw', not 'shout'.`],
  ])('refuses %s', (text, why) => {
    expect(() => parseFaultOption(text)).toThrow(`--fault ${text}: ${why}`)
  })
})
