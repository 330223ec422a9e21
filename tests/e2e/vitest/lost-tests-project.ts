import { testImports } from '../../support/failure-bundles.ts'

/** Tests that end, or hang, the worker they run in. */

const imports = `${testImports}
import { isMainThread } from 'node:worker_threads'
const workflow = 'workflows/release.yaml'
const never = new Promise(() => {})
`

/** A test whose agent of the second step does something and never answers. */
function lost(name: string, options: string, doing: string): string {
  return `
test('${name}', ${options}, async ({ project, agents }) => {
  const checker = ({ log }) => {
    log('checking in ${name}')
    ${doing}
    return never
  }
  const session = await runWorkflowStepByStep(workflow, {
    project, agents: { ...agents, checker }, clock: 'real', faults: [agentError('publish')],
  })
  await session.runToEnd()
})
`
}

const endsItself = `process.kill(process.pid, 'SIGKILL')`

export const killed = `${imports}
test('passes before', async ({ project }) => { await project.list() })
test('fails before', ({ project }) => expect(project.template).toBe('medium'))
${lost('kills its worker', '{ timeout: 30_000 }', endsItself)}
test('never begins', () => {})
`

export const killedTogether = `${imports}
let begun = 0
describe.concurrent('together', () => {
  ${lost('one', '{ timeout: 30_000 }', `if (++begun === 2) ${endsItself}`)}
  ${lost('other', '{ timeout: 30_000 }', `if (++begun === 2) ${endsItself}`)}
  test('passes', async ({ project }) => { await project.list() })
})
`

/** Vitest takes `process.exit` away from tests. */
export const exits = `${imports}
test('exits', () => process.exit(3))
test('really exits', () => process.reallyExit(3))
`

export const retried = `${imports}
let tries = 0
test('dies at its second try', { retry: 1 }, async ({ project, agents }) => {
  const session = await runWorkflowStepByStep(workflow, { project, agents, disk: 'simulated' })
  await session.runUntil('build')
  if (++tries === 2) ${endsItself}
  throw new Error('first try')
})
`

export const loops = `${imports}
${lost('loops', '{ timeout: 4_000 }', 'for (;;);')}
`

export const interrupts = `${imports}
test('fails before', ({ project }) => expect(project.template).toBe('medium'))
${lost('is interrupted', '{ timeout: 60_000 }', `process.kill(isMainThread ? process.ppid : process.pid, 'SIGINT')`)}
`

/** Gives up a silent worker soon: hooks have the same limit as the test that loops. */
export const impatientConfig = `import { defineConfig } from 'vitest/config'
import { faultline } from 'faultline/plugin'
export default defineConfig({ plugins: [faultline({ hangGraceMs: 1_000 })], test: { hookTimeout: 4_000 } })
`
