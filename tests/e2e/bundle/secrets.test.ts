import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { unzipSync } from 'fflate'
import { expect, inject, onTestFinished, test } from 'vitest'
import { failureBundles, testImports } from '../../support/failure-bundles.ts'
import { stranger } from '../../support/stranger.ts'
import type { Stranger } from '../../support/stranger.ts'

/** What must not leave the machine, by how it is known. */
const secrets = {
  variable: 'sk-live-AbC123.xyz+9',
  awkwardVariable: 'pa"ss\\wörd\nnext',
  ownPattern: 'cust-482915',
  bearer: 'abcdef.123456-xyz',
  githubToken: `ghp_${'a1'.repeat(18)}`,
  urlPassword: 'hunter2hunter',
  namedMember: 'four plain ordinary words',
  setByTest: 'late-5521-zyx',
  ofWorker: 'of-worker-7730-qrs',
}
/** One worker takes another value for the last one. */
const environment = {
  SHOP_API_KEY: secrets.variable,
  DB_PASSWORD: secrets.awkwardVariable,
  SHOP_MODE_TOKEN: 'of-the-main-process',
}

const said = `'key ' + process.env.SHOP_API_KEY + ' db ' + process.env.DB_PASSWORD + ' for ${secrets.ownPattern} with Bearer ${secrets.bearer}, ${secrets.githubToken} at postgres://app:${secrets.urlPassword}@db/shop'`
const data = `{ said: ${said}, [process.env.SHOP_API_KEY]: [{ deep: JSON.stringify({ said: ${said} }) }], login: { password: '${secrets.namedMember}' } }`
const agents = `export const agents = {
  async writer({ artifacts, log, input }) {
    log(${said})
    await artifacts.write('out/' + process.env.SHOP_API_KEY + '.txt', ${said})
    await artifacts.write('out/said.txt', ${said} + JSON.stringify(input))
    await artifacts.write('out/bytes.bin', Buffer.concat([Buffer.from([255, 0, 254]), Buffer.from(process.env.SHOP_API_KEY)]))
    return ${data}
  },
  printer() { throw Object.assign(new Error(${said}), { cause: new Error(${said}) }) },
}
`
const flow = `id: flow
steps:
  - { id: write, agent: writer, creates: [out/], next: print }
  - { id: print, agent: printer }
`

/** The worker is killed; what it had noted until then is kept for us to read. */
const killed = `${testImports}
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { agents } from './faultline.agents.mjs'
test('is killed saying ' + ${said}, async ({ project }) => {
  await project.write('flow.yaml', readFileSync('flow.yaml', 'utf8'))
  const printer = ({ log }) => {
    log(${said})
    const [run] = readdirSync(tmpdir()).filter((name) => name.startsWith('faultline-run'))
    cpSync(join(tmpdir(), run, 'journals'), 'kept-journals', { recursive: true })
    process.kill(process.pid, 'SIGKILL')
  }
  const session = await runWorkflowStepByStep('flow.yaml', { project, agents: { ...agents, printer }, input: ${data} })
  await session.runToEnd()
})
`

/** A test that sets a secret of its own, which only its own process has ever had; `end` is how its second agent ends it. */
const lateSecret = (title: string, end: string, afterwards = '') => `${testImports}
import { readFileSync } from 'node:fs'
test('${title}', async ({ project }) => {
  process.env.SHOP_LATE_TOKEN = '${secrets.setByTest}'
  await project.write('flow.yaml', readFileSync('flow.yaml', 'utf8'))
  const agents = {
    async writer({ artifacts, log }) {
      log(process.env.SHOP_LATE_TOKEN)
      await artifacts.write('out/late.txt', process.env.SHOP_LATE_TOKEN)
      return process.env.SHOP_LATE_TOKEN
    },
    printer() { ${end} },
  }
  const session = await runWorkflowStepByStep('flow.yaml', { project, agents })
  await session.runToEnd()
  ${afterwards}
})
`

/** The process that makes its bundle never had the secret. */
const killedLate = lateSecret('is killed with a secret of its own', `process.kill(process.pid, 'SIGKILL')`)

/** The process that makes its bundle has another secret by that name; the worker had this one before its first test. */
const killedOverridden = killedLate
  .replace('a secret of its own', 'another secret')
  .replace(/^ *process\.env\.SHOP_LATE_TOKEN = .*\n/m, '')
  .replaceAll('SHOP_LATE_TOKEN', 'SHOP_MODE_TOKEN')
  .replace(/^test\(/m, `process.env.SHOP_MODE_TOKEN = '${secrets.ofWorker}'\ntest(`)

/** Its secret is gone before its bundle is written. */
const takenBack = lateSecret(
  'takes a secret back',
  'throw new Error(process.env.SHOP_LATE_TOKEN)',
  'delete process.env.SHOP_LATE_TOKEN; expect(session).toHaveCompleted()',
)

test(
  'secrets stand nowhere in the bytes or names of what a failure leaves, whoever said them and where',
  { timeout: 120_000 },
  () => {
    const project = stranger(inject('packedPackage'), {
      'package.json': '{ "name": "stranger", "type": "module" }',
      'vitest.config.ts': `import { defineConfig } from 'vitest/config'
import { faultline } from 'faultline/plugin'
export default defineConfig({ plugins: [faultline({ redact: [/cust-\\d{6}/] })] })
`,
      'flow.yaml': flow,
      'faultline.agents.mjs': agents,
      'killed.test.ts': killed,
      'killed-late.test.ts': killedLate,
      'killed-overridden.test.ts': killedOverridden,
      'taken-back.test.ts': takenBack,
      'said.test.ts': `${testImports}
import { beforeAll } from 'vitest'
import { readFileSync } from 'node:fs'
import { agents } from './faultline.agents.mjs'
test('says ' + ${said}, async ({ project }) => {
  await project.write('flow.yaml', readFileSync('flow.yaml', 'utf8'))
  const session = await runWorkflowStepByStep('flow.yaml', { project, agents, input: ${data} })
  await session.runToEnd()
  await session.resume()
  await session.runToEnd()
  expect(${said}).toBe('')
})
test('has a fault that says it', async ({ project }) => {
  await project.write('flow.yaml', readFileSync('flow.yaml', 'utf8'))
  const faults = [agentError('write', { message: ${said} })]
  const session = await runWorkflowStepByStep('flow.yaml', { project, agents, faults })
  await session.runToEnd()
  expect(session).toHaveCompleted()
})
describe('set up ' + ${said}, () => {
  beforeAll(() => { throw new Error(${said}) })
  test('never begins', () => {})
})
`,
    })
    onTestFinished(() => project.remove())
    const temporary = join(project.folder, 'temporary')
    mkdirSync(temporary)
    const stepSummary = 'faultline-bundles/step-summary.md'
    const junit = ['--reporter=default', '--reporter=junit', '--outputFile.junit=junit.xml']
    const run = project.vitest(junit, {
      ...environment,
      TMPDIR: temporary,
      GITHUB_STEP_SUMMARY: join(project.folder, stepSummary),
    })
    expect(
      failureBundles(project)
        .map(({ manifest }) => manifest.reason)
        .toSorted(),
      run.stderr,
    ).toEqual(['assertion', 'assertion', 'assertion', 'set-up', 'worker-died', 'worker-died', 'worker-died'])
    const input = JSON.stringify({ said: secrets.variable, login: { password: secrets.namedMember } })
    const failed = project.faultlineWith(environment, 'run', 'flow.yaml', '--input', input)
    expect([failed.code, failed.stderr]).toEqual([1, ''])
    // The command line has no patterns of one's own.
    const ofRun = failureBundles(project).find(({ folder }) => folder.includes('flow-yaml'))?.folder ?? ''

    for (const [index, { folder }] of failureBundles(project).entries()) {
      unpack(project, folder, folder === ofRun ? 'of-run' : `of-test-${index}`)
    }
    const journals = project.files('kept-journals')
    expect(project.read(journals[0] ?? '')).toContain('[redacted:SHOP_API_KEY]')
    // What Vitest itself says of an error is its own.
    const properties = project.read('junit.xml').match(/<property name="faultline\.[^>]*>/g) ?? []
    expect(properties.length).toBeGreaterThan(4)
    project.write('faultline-bundles/junit-properties.txt', properties.join('\n'))
    const files = [...project.files('faultline-bundles'), ...journals]
    expect(files).toEqual(expect.arrayContaining([stepSummary, expect.stringMatching(/\/run\.json$/)]))
    expect(files.filter((path) => path.endsWith('/artifacts/out/bytes.bin'))).toHaveLength(6)
    const leaks = files.flatMap((path) => {
      const bytes = readFileSync(join(project.folder, path))
      const texts = [path, bytes.toString('utf8'), bytes.toString('latin1')]
      return Object.entries(secrets).flatMap(([kind, secret]) => {
        if (kind === 'ownPattern' && (path.startsWith(`${ofRun}/`) || path.includes('/of-run'))) return []
        const spellings = [
          secret,
          JSON.stringify(secret).slice(1, -1),
          encodeURIComponent(secret),
          secret.replaceAll(/[^a-z0-9]+/gi, '-'),
        ]
        const found = spellings.some((each) =>
          texts.some((text) => text.toLowerCase().includes(each.toLowerCase())),
        )
        return found ? [`${kind} in ${path}`] : []
      })
    })
    expect(leaks).toEqual([])
    const { redaction } = JSON.parse(project.read(`${ofRun}/manifest.json`)) as {
      readonly redaction: { readonly rules: Readonly<Record<string, number>> }
    }
    expect(Object.keys(redaction.rules)).toEqual(
      expect.arrayContaining([
        'SHOP_API_KEY',
        'DB_PASSWORD',
        'bearer-token',
        'github-token',
        'url-password',
        'named-value',
      ]),
    )
  },
)

/** Packs a bundle as for another machine, and lays the ZIP and what is in it beside the bundles. */
function unpack(project: Stranger, bundle: string, name: string): void {
  const zip = `faultline-bundles/packed/${name}.zip`
  mkdirSync(dirname(join(project.folder, zip)), { recursive: true })
  const packed = project.faultline('bundle', 'pack', bundle, '--output', zip)
  expect(packed.code, packed.stderr).toBe(0)
  for (const [path, bytes] of Object.entries(unzipSync(readFileSync(join(project.folder, zip))))) {
    const target = join(project.folder, 'faultline-bundles/packed', name, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, bytes)
  }
}
