import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { chooseAgents, loadAgents } from '../../../src/cli/agents-module.ts'
import type { WorkflowDefinition } from '../../../src/definition/index.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const stepsOf = (...agents: readonly string[]): Pick<WorkflowDefinition, 'steps'> => ({
  steps: agents.map((agent) => ({ agent })) as unknown as WorkflowDefinition['steps'],
})
const asksForOne = stepsOf('http', 'builder')

describe('the agents module', () => {
  test('is not needed for steps that are built in', async () => {
    const folder = temporaryFolder()
    const choice = chooseAgents(folder, {}, stepsOf('command', 'http', 'verify'))
    expect(choice).toEqual({ kind: 'built-in' })
    expect(await loadAgents(folder, choice)).toEqual({})
  })

  test('is found by its name, TypeScript too', async () => {
    const folder = temporaryFolder()
    writeFileSync(
      join(folder, 'faultline.agents.ts'),
      `export const agents: Record<string, () => Promise<number>> = { builder: async () => 1 as number }`,
    )
    const choice = chooseAgents(folder, {}, asksForOne)
    expect(choice).toEqual({ kind: 'module', path: 'faultline.agents.ts' })
    expect(Object.keys((await loadAgents(folder, choice)) ?? {})).toEqual(['builder'])
  })

  test('is not guessed when there are two', () => {
    const folder = temporaryFolder()
    for (const name of ['faultline.agents.ts', 'faultline.agents.mjs']) writeFileSync(join(folder, name), '')
    expect(() => chooseAgents(folder, {}, asksForOne)).toThrow(
      'faultline.agents.mjs and faultline.agents.ts are both in this folder. Choose one with --agents <module>, or remove the other.',
    )
  })

  test('is asked for when there is none', () => {
    const folder = temporaryFolder()
    expect(() => chooseAgents(folder, {}, asksForOne)).toThrow(`this folder has no 'faultline.agents.mjs'`)
    expect(() => chooseAgents(folder, { mock: true, agents: 'a.mjs' }, asksForOne)).toThrow(
      'Give either --mock or --agents',
    )
    expect(chooseAgents(folder, { mock: true }, asksForOne)).toEqual({ kind: 'mock' })
  })

  test.each([
    ['missing.mjs', undefined, 'there is no such file'],
    ['broken.mjs', 'export const = 1', 'loading it failed: '],
    ['default.mjs', 'export default {}', `it does not export 'agents' (it has a default export; name it)`],
    [
      'list.mjs',
      'export const agents = []',
      `its export 'agents' is not an object of functions by agent name`,
    ],
    [
      'text.mjs',
      `export const agents = { builder: 'x' }`,
      `its agent 'builder' is of type string, not a function`,
    ],
    ['empty.mjs', 'export const agents = {}', `its export 'agents' holds no agent`],
  ])('%s is refused with what is wrong', async (name, text, why) => {
    const folder = temporaryFolder()
    if (text !== undefined) writeFileSync(join(folder, name), text)
    await expect(loadAgents(folder, { kind: 'module', path: name })).rejects.toThrow(
      `The agents module ${name} cannot be used: ${why}`,
    )
  })
})
