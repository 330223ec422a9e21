import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDigest, createNodeFiles, processVersions } from '../dist/adapters/node/index.js'
import { createRedactor, writeBundle } from '../dist/bundle/index.js'
import { defineWorkflow } from '../dist/engine/index.js'
import { agentError } from '../dist/fault-injection/index.js'
import { runWorkflowStepByStep } from '../dist/harness/index.js'
import { median } from './harness.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const rounds = 11
const testsInBlock = 200
const projectsInBlock = 20

/** What the plugin costs a suite: tests that pass, projects, the start of a run; and what a failure costs. */
export async function plugin() {
  const folder = mkdtempSync(join(root, '.bench-'))
  try {
    // First: the others leave thousands of removed files, and ext4 takes a millisecond for a new one while it avoids their inodes.
    const bundles = await bundle(folder)
    return [...passing(folder), startup(folder), ...bundles]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const configuration = (plugins) => `import { defineConfig } from 'vitest/config'
${plugins === '' ? '' : `import { faultline } from 'faultline/plugin'`}
export default defineConfig({ plugins: [${plugins}], test: { include: ['*.test.js'], maxWorkers: 1 } })
`

/** Blocks of tests in one file take turns, so that whatever slows the machine slows all of them. */
const blocks = `import { cpSync, mkdirSync, mkdtempSync, copyFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, test as bare } from 'vitest'
import { test } from 'faultline/vitest'

const times = {}
function block(name, tests, body) {
  describe(name, () => {
    let start
    beforeAll(() => void (start = performance.now()))
    for (let number = 0; number < tests; number++) body('test ' + number)
    afterAll(() => void (times[name] ??= []).push((performance.now() - start) / tests))
  })
}
function copy(from, to) {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isFile()) copyFileSync(source, target)
    else {
      mkdirSync(target)
      copy(source, target)
    }
  }
}
const template = process.env.BENCH_TEMPLATE
const small = test.override('template', 'small')
for (let round = 0; round < ${rounds + 1}; round++) {
  block('bare', ${testsInBlock}, (name) => bare(name, () => {}))
  block('fixtures', ${testsInBlock}, (name) => test(name, ({ seed, correlationId }) => void [seed, correlationId]))
  block('copied', ${projectsInBlock}, (name) =>
    bare(name, () => {
      const folder = mkdtempSync(join(tmpdir(), 'bench-'))
      copy(template, folder)
      rmSync(folder, { recursive: true })
    }),
  )
  block('project', ${projectsInBlock}, (name) => small(name, ({ project }) => void project))
}
afterAll(() => writeFileSync(process.env.BENCH_OUT, JSON.stringify(times)))
`

function passing(parent) {
  const folder = suite(parent, 'passing', {
    'vitest.config.js': configuration('faultline()'),
    'blocks.test.js': blocks,
  })
  const out = join(folder, 'times.json')
  vitest(folder, { BENCH_OUT: out, BENCH_TEMPLATE: join(root, 'templates/small') })
  // The first of each is for warming up.
  const times = Object.fromEntries(
    Object.entries(JSON.parse(readFileSync(out, 'utf8'))).map(([name, all]) => [name, all.slice(1)]),
  )
  const each = (combine) => median(Array.from({ length: rounds }, (_, round) => combine(round)))
  return [
    {
      bench: 'plugin',
      figure: 'passing_ms',
      value: each((round) => times.fixtures[round] - times.bare[round]),
      unit: 'ms',
      reference: 'an empty test of bare Vitest, in the same run',
      runs: rounds,
    },
    {
      bench: 'plugin',
      figure: 'project_ratio',
      value: each((round) => times.project[round] / times.copied[round]),
      unit: 'x',
      reference:
        'a bare test that makes a temporary folder, copies the template file by file, and removes it',
      runs: rounds,
    },
  ]
}

function startup(parent) {
  const one = (from) => `import { expect, test } from '${from}'\ntest('adds', () => expect(1 + 1).toBe(2))\n`
  const plain = suite(parent, 'plain', {
    'vitest.config.js': configuration(''),
    'one.test.js': one('vitest'),
  })
  const ours = suite(parent, 'ours', {
    'vitest.config.js': configuration('faultline()'),
    'one.test.js': one('faultline/vitest'),
  })
  const timed = (folder) => {
    const start = performance.now()
    vitest(folder)
    return performance.now() - start
  }
  for (const folder of [plain, ours]) vitest(folder)
  const ratios = Array.from({ length: rounds }, () => {
    const reference = timed(plain)
    return timed(ours) / reference
  })
  return {
    bench: 'plugin',
    figure: 'startup_ratio',
    value: median(ratios),
    unit: 'x',
    reference: 'a run of one test with plain Vitest, in a process of its own',
    runs: rounds,
  }
}

/** Ten steps, a failure in the middle, a resume to the end; every step writes a file. */
async function bundle(parent) {
  const steps = Array.from({ length: 10 }, (_, index) => ({
    id: `s${index}`,
    agent: 'worker',
    creates: [`out/s${index}.md`],
  }))
  const session = await runWorkflowStepByStep(defineWorkflow({ id: 'chain', steps }), {
    faults: [agentError('s5')],
  })
  await session.runToEnd()
  await session.resume()
  if ((await session.runToEnd()).status !== 'completed') throw new Error('the run must complete')
  const recording = await session.recording()
  const digest = createDigest()
  const files = createNodeFiles(parent)
  let written = 0
  const write = async () =>
    writeBundle(
      {
        kind: 'run',
        reason: 'run-failed',
        run: { workflowFile: null, arguments: [] },
        errors: [{ name: 'Error', message: 'model overloaded', stack: null }],
        sessions: [recording],
        versions: processVersions(null),
      },
      {
        files,
        folder: `bundles/b${written++}`,
        digest,
        redact: createRedactor({ environment: process.env, roots: { '<project>': parent } }),
      },
    )
  mkdirSync(join(parent, 'bundles'))
  for (let count = 0; count < 20; count++) await write()
  const times = []
  let sizeBytes = 0
  for (let count = 0; count < 50; count++) {
    const start = performance.now()
    const { manifest, sizeBytes: whole } = await write()
    times.push(performance.now() - start)
    sizeBytes = whole - (manifest.files.find(({ path }) => path === 'index.html')?.sizeBytes ?? 0)
  }
  await session.close()
  await session.project.remove()
  const figure = {
    bench: 'plugin',
    reference: 'nothing: a workflow of ten steps that failed and was resumed',
  }
  return [
    { ...figure, figure: 'bundle_ms', value: median(times), unit: 'ms', runs: times.length },
    { ...figure, figure: 'bundle_kb', value: sizeBytes / 1024, unit: 'KB', runs: 1 },
  ]
}

/** A project of its own. The package is a real folder in it, as users have it: a linked one is taken for their source. */
function suite(parent, name, files) {
  const folder = join(parent, name)
  const home = join(folder, 'node_modules/faultline')
  mkdirSync(home, { recursive: true })
  for (const part of ['dist', 'templates', 'package.json']) {
    cpSync(join(root, part), join(home, part), { recursive: true })
  }
  for (const [path, text] of Object.entries({ 'package.json': '{ "type": "module" }', ...files })) {
    writeFileSync(join(folder, path), text)
  }
  return folder
}

const require = createRequire(import.meta.url)
const vitestBin = join(dirname(require.resolve('vitest/package.json')), 'vitest.mjs')

function vitest(folder, env = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [vitestBin, 'run', '--reporter=dot'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, FAULTLINE_REPLAY: '', ...env },
  })
  if (status !== 0) throw new Error(`Vitest ended with ${status}:\n${stdout}\n${stderr}`)
}
