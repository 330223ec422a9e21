import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The main job on a real workflow, in a fresh folder: a step fails, the state is found on disk, the run is resumed and
 * completes; then a test that fails on purpose, its bundle, and its replay. Ends with 0 only if all of that is seen.
 */
const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(dirname(here))
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'faultline-demo-')))

try {
  prepare()
  tell('1. Six agents build a feature. The reviewer fails half-way.')
  run(1, 'run', 'feature.yaml', '--mock', '--fault', 'agent-error:review,message=model overloaded')

  tell('2. What is on disk: which steps are done, where it stopped and why.')
  run(0, 'status')

  tell('3. A new process resumes. What was complete does not run again.')
  run(0, 'resume')

  tell(
    '4. The same as a test. It claims that the review ran once, which is not true: the test fails and leaves a bundle.',
  )
  vitest()

  tell('5. The bundle makes it happen again.')
  const bundle = bundleOf('feature-is-reviewed')
  const replay = run(1, 'replay', bundle)
  if (!replay.includes('reproduced')) throw new Error('the replay must reproduce the failure')
  tell('All of it went as told. See README.md for what to do next.')
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function prepare() {
  if (!existsSync(join(root, 'dist/cli/main.js')))
    execFileSync('npm', ['run', 'build'], { cwd: root, stdio: 'ignore' })
  cpSync(join(here, 'feature.yaml'), join(folder, 'feature.yaml'))
  // As installed: a real folder in node_modules, with its dependencies beside it.
  const packages = join(folder, 'node_modules')
  mkdirSync(packages)
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(packages, name))
  }
  for (const part of ['dist', 'templates', 'package.json']) {
    cpSync(join(root, part), join(packages, 'faultline', part), { recursive: true })
  }
  writeFileSync(join(folder, 'package.json'), '{ "name": "demo", "private": true, "type": "module" }\n')
  writeFileSync(
    join(folder, 'vitest.config.ts'),
    `import { defineConfig } from 'vitest/config'\nimport { faultline } from 'faultline/plugin'\n\nexport default defineConfig({ plugins: [faultline()] })\n`,
  )
  cpSync(join(here, 'release.test.ts.txt'), join(folder, 'release.test.ts'))
}

function run(expected, ...args) {
  process.stdout.write(
    `$ npx faultline ${args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg)).join(' ')}\n`,
  )
  const { status, stdout, stderr } = command(join(folder, 'node_modules/faultline/dist/cli/main.js'), args)
  process.stdout.write(`${stdout}${stderr}\n`)
  if (status !== expected)
    throw new Error(`faultline ${args[0]} ended with ${status}, and ${expected} was expected`)
  return stdout
}

function vitest() {
  process.stdout.write('$ npx vitest run\n')
  const { status, stdout } = command(join(folder, 'node_modules/vitest/vitest.mjs'), ['run'])
  process.stdout.write(`${stdout}\n`)
  if (status !== 1) throw new Error(`the test must fail, and Vitest ended with ${status}`)
}

function command(script, args) {
  return spawnSync(process.execPath, [script, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: {
      ...process.env,
      NO_COLOR: '1',
      FORCE_COLOR: '0',
      FAULTLINE_REPLAY: '',
      FEATURE_YAML: readFileSync(join(here, 'feature.yaml'), 'utf8'),
    },
  })
}

function bundleOf(name) {
  const bundles = join(folder, 'faultline-bundles')
  for (const suite of readdirSync(bundles, { withFileTypes: true })) {
    if (!suite.isDirectory()) continue
    const found = readdirSync(join(bundles, suite.name)).find((bundle) => bundle.includes(name))
    if (found !== undefined) return `faultline-bundles/${suite.name}/${found}`
  }
  throw new Error('the failing test must leave a bundle')
}

function tell(text) {
  process.stdout.write(`\n== ${text}\n\n`)
}
