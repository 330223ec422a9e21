import { expect, test } from 'vitest'
import { withBuiltInSteps } from '../../../src/built-in-steps/index.ts'
import type { AgentCall, AgentPort } from '../../../src/ports/index.ts'

const own: AgentPort = { has: (name) => name === 'http', names: ['http'], invoke: async () => 'mine' }
const agents = withBuiltInSteps(own, { environment: {} })

function call(agent: string): Promise<unknown> {
  return agents.invoke({ context: { step: 'one', agent, input: 'given' } } as AgentCall)
}

test('an agent of the user replaces a built-in step of its name, and the others stay', async () => {
  expect(agents.names).toEqual(['http', 'command', 'verify', 'trigger'])
  expect([await call('http'), await call('trigger')]).toEqual(['mine', 'given'])
})

test.each(['nobody', 'constructor'])('what nobody has given is no success: %s', async (name) => {
  expect(agents.has(name)).toBe(false)
  await expect(call(name)).rejects.toMatchObject({
    kind: 'configuration',
    category: 'permanent',
    message: `Step 'one' names agent '${name}', which was not given.`,
  })
})
