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
 * completes; then a test that finds a bug, its bundle, the replay, and the fix. Ends with 0 only if all of that is seen.
 */
const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(dirname(here))
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'faultline-demo-')))

const bug = 'posts.push(context.idempotencyKey)'
const fix = 'if (!posts.includes(context.idempotencyKey)) posts.push(context.idempotencyKey)'

try {
  prepare()
  tell('1. Six agents build a feature. The reviewer fails half-way: exit code 1, and a bundle.')
  const failed = faultline(
    1,
    'run',
    'feature.yaml',
    '--mock',
    '--fault',
    'agent-error:review,message=model overloaded',
  )
  expectText(failed, 'review  model overloaded')

  tell('2. What is on disk: which steps are done, where it stopped and why.')
  expectText(faultline(0, 'status'), 'failed at review: model overloaded')
  showState()

  tell('3. A new process resumes. What was complete does not run again.')
  const resumed = faultline(0, 'resume')
  expectText(resumed, 'review (attempt 2)')
  if (resumed.includes('> build')) throw new Error('build was complete and must not run again')

  tell('4. A test lets the announcer fail after it has posted. After the resume there are two posts: a bug.')
  vitest()
  const bundle = bundleOf('the-release-is-announced')

  tell('5. The bundle makes it happen again.')
  expectText(faultline(1, 'replay', bundle), 'reproduced')

  tell('6. The agent looks whether it has posted already, by its idempotency key. Now the test passes.')
  mend()
  expectText(faultline(0, 'replay', bundle), 'passes now')

  process.stdout.write('All of it went as told. README.md says what to do next.\n')
} catch (error) {
  process.stderr.write(`\nThe demo did not go as told: ${error.message}\n`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function prepare() {
  if (!existsSync(join(root, 'dist/cli/main.js'))) {
    process.stdout.write('Building faultline first (npm run build).\n')
    execFileSync('npm', ['run', 'build'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  }
  // As installed: a real folder in node_modules, with its dependencies beside it.
  const packages = join(folder, 'node_modules')
  mkdirSync(packages)
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.')) symlinkSync(join(root, 'node_modules', name), join(packages, name), 'junction')
  }
  for (const part of ['dist', 'templates', 'package.json']) {
    cpSync(join(root, part), join(packages, 'faultline', part), { recursive: true })
  }
  writeFileSync(join(folder, 'package.json'), '{ "name": "demo", "private": true, "type": "module" }\n')
  writeFileSync(
    join(folder, 'vitest.config.ts'),
    `import { defineConfig } from 'vitest/config'\nimport { faultline } from 'faultline/plugin'\n\nexport default defineConfig({ plugins: [faultline()] })\n`,
  )
  cpSync(join(here, 'feature.yaml'), join(folder, 'feature.yaml'))
  cpSync(join(here, 'release.test.ts.txt'), join(folder, 'release.test.ts'))
}

function faultline(expected, ...args) {
  const shown = args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg)).join(' ')
  process.stdout.write(`$ npx faultline ${shown}\n`)
  const { status, stdout, stderr } = command('faultline/dist/cli/main.js', args)
  process.stdout.write(`${stdout}${stderr}\n`)
  if (status !== expected) {
    throw new Error(`'faultline ${args[0]}' ended with ${status}, and ${expected} was expected`)
  }
  return stdout
}

function showState() {
  const { runId } = JSON.parse(readFileSync(join(folder, '.workflow/last.json'), 'utf8'))
  const file = `.workflow/runs/${runId}/state.json`
  const { status, completedSteps, currentSteps, error } = JSON.parse(readFileSync(join(folder, file), 'utf8'))
  process.stdout.write(`It is read from ${file}, which holds among other things\n`)
  process.stdout.write(`${JSON.stringify({ status, completedSteps, currentSteps, error })}\n`)
}

function vitest() {
  process.stdout.write('$ npx vitest run\n')
  const { status, stdout, stderr } = command('vitest/vitest.mjs', ['run'])
  process.stdout.write(`${stdout}${status === 1 ? '' : stderr}\n`)
  if (status !== 1) throw new Error(`the test must fail, and Vitest ended with ${status}`)
}

function mend() {
  const file = join(folder, 'release.test.ts')
  writeFileSync(file, readFileSync(file, 'utf8').replace(bug, fix))
  process.stdout.write(`- ${bug}\n+ ${fix}\n\n`)
}

function command(script, args) {
  return spawnSync(process.execPath, [join(folder, 'node_modules', script), ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', FAULTLINE_REPLAY: '' },
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

function expectText(output, text) {
  if (!output.includes(text)) throw new Error(`the output must say '${text}'`)
}

function tell(text) {
  process.stdout.write(`\n== ${text}\n\n`)
}
