import type { ChildProcess } from 'node:child_process'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { stranger } from '../../support/stranger.ts'
import type { Stranger } from '../../support/stranger.ts'
import { parallel, reviewed } from '../../support/workflows.ts'

const open: Stranger[] = []

afterEach(() => {
  for (const each of open.splice(0)) each.remove()
})

function project(files: Readonly<Record<string, string>>): Stranger {
  const made = stranger(inject('packedPackage'), files)
  open.push(made)
  return made
}

interface PersistedState {
  readonly status: string
  readonly currentSteps: readonly string[]
  readonly completedSteps: readonly string[]
  readonly error: { readonly step: string; readonly message: string } | null
}

function stateOf(folder: Stranger): PersistedState {
  const { runId } = JSON.parse(folder.read('.workflow/last.json')) as { readonly runId: string }
  return JSON.parse(folder.read(`.workflow/runs/${runId}/state.json`)) as PersistedState
}

/** Every file but state and bundles, with its content. */
function artifacts(folder: Stranger): Readonly<Record<string, string>> {
  const paths = folder.files().filter((path) => !/^(\.workflow|faultline-bundles)\//.test(path))
  return Object.fromEntries(paths.map((path) => [path, folder.read(path)]))
}

function startsOf(folder: Stranger): readonly string[] {
  const { runId } = JSON.parse(folder.read('.workflow/last.json')) as { readonly runId: string }
  return folder
    .read(`.workflow/runs/${runId}/events.jsonl`)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line.slice(9)) as { readonly kind: string; readonly step?: string })
    .flatMap((event) => (event.kind === 'step_start' && event.step !== undefined ? [event.step] : []))
}

describe.each([
  ['a chain with a review gate', reviewed],
  ['parallel branches with a join', parallel],
])('%s', (_name, workflow) => {
  test('completes with stand-ins, and after a failure of each step and a resume in a new process', () => {
    const undisturbed = project({ 'flow.yaml': workflow.yaml })
    expect(undisturbed.faultline('run', 'flow.yaml', '--mock').code).toBe(0)
    const expected = artifacts(undisturbed)
    for (const step of workflow.steps) {
      const folder = project({ 'flow.yaml': workflow.yaml })
      const failed = folder.faultline(
        'run',
        'flow.yaml',
        '--mock',
        '--fault',
        `agent-error:${step},message=overloaded`,
      )
      expect([step, failed.code, failed.stderr]).toEqual([step, 1, ''])
      const state = stateOf(folder)
      expect([state.status, state.error?.step, state.error?.message]).toEqual(['failed', step, 'overloaded'])
      const resumed = folder.faultline('resume')
      expect([step, resumed.code, resumed.stderr]).toEqual([step, 0, ''])
      expect(artifacts(folder)).toEqual(expected)
      const starts = startsOf(folder)
      for (const each of workflow.steps) {
        expect([step, each, starts.filter((one) => one === each).length]).toEqual([
          step,
          each,
          each === step ? 2 : 1,
        ])
      }
      folder.remove()
    }
  })
})

describe('a run that is killed', () => {
  test('inside a step: reads interrupted, names the step, resumes and comes to the same', async () => {
    const undisturbed = project({ 'flow.yaml': reviewed.yaml })
    undisturbed.faultline('run', 'flow.yaml', '--mock')
    const folder = project({ 'flow.yaml': reviewed.yaml })
    const child = folder.start('run', 'flow.yaml', '--mock', '--mock-delay', '600')
    await shows(child, '> build')
    child.kill('SIGKILL')
    await new Promise((resolve) => child.once('exit', resolve))
    const status = folder.faultline('status')
    expect(status.stdout).toMatch(/status\s+interrupted in build\n/)
    expect(folder.faultline('resume').code).toBe(0)
    expect(artifacts(folder)).toEqual(artifacts(undisturbed))
    expect(startsOf(folder)).toEqual(['outline', 'build', 'build', 'review', 'announce'])
  })
})

describe('a run that another process holds', () => {
  test('is refused, with the name of the holder', async () => {
    const folder = project({ 'flow.yaml': reviewed.yaml })
    const child = folder.start('run', 'flow.yaml', '--mock', '--mock-delay', '60000')
    await shows(child, '> outline')
    const refused = folder.faultline('resume')
    child.kill('SIGKILL')
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(
        new RegExp(`^error\\[RUN_OWNED\\]: Run '.*' is held by process ${child.pid} on host '`),
      ),
    ])
  })
})

describe('bad input', () => {
  test.each([
    ['an unknown file', ['run', 'flaw.yaml', '--mock'], {}],
    ['wrong YAML', ['run', 'flow.yaml', '--mock'], { 'flow.yaml': 'steps: [' }],
    ['cyclic steps', ['run', 'flow.yaml', '--mock'], { 'flow.yaml': cyclic() }],
    ['a misspelt step in a fault', ['run', 'flow.yaml', '--mock', '--fault', 'agent-error:reviw'], {}],
    ['a misspelt fault', ['run', 'flow.yaml', '--mock', '--fault', 'agent-eror:review'], {}],
    ['no agents', ['run', 'flow.yaml'], {}],
    [
      'an unknown agent',
      ['run', 'flow.yaml', '--agents', 'agents.mjs'],
      { 'agents.mjs': 'export const agents = { plannr() {} }' },
    ],
    [
      'a missing required file',
      ['run', 'flow.yaml', '--mock'],
      { 'flow.yaml': reviewed.yaml.replace('requires: []', 'requires: [brief.md]') },
    ],
    ['a foreign file in the way', ['run', 'flow.yaml', '--mock'], { 'plan/outline.md': 'mine' }],
    ['a file in place of the state folder', ['run', 'flow.yaml', '--mock'], { '.workflow': 'not a folder' }],
    ['a resume with nothing to resume', ['resume'], {}],
    ['an unknown command', ['runn'], {}],
  ] as const)(
    '%s is one paragraph, exit code 2, and nothing written',
    (_name, args, files: Readonly<Record<string, string>>) => {
      const folder = project({ 'flow.yaml': reviewed.yaml, ...files })
      const before = folder.files()
      const ended = folder.faultline(...args)
      expect(ended.stderr.replaceAll(folder.folder, '<folder>')).toMatchSnapshot()
      expect([ended.code, ended.stdout]).toEqual([2, ''])
      expect(folder.files()).toEqual(before)
    },
  )
})

function shows(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve) => {
    let output = ''
    child.stdout?.setEncoding('utf8').on('data', (more: string) => {
      output += more
      if (output.includes(text)) resolve()
    })
  })
}

function cyclic(): string {
  return `id: loop
steps:
  - id: a
    agent: worker
    next: b
  - id: b
    agent: worker
    next: a
`
}

test('keeps runs where it is told to, by option or by environment', () => {
  const folder = project({ 'flow.yaml': reviewed.yaml })
  const where = ['--state-dir', '.github/workflow-states']
  expect(folder.faultline('run', 'flow.yaml', '--mock', '--fault', 'agent-error:build', ...where).code).toBe(
    1,
  )
  expect(folder.faultline('status').code).toBe(2)
  const shown = folder.faultline('status', ...where).stdout
  expect(shown).toContain('failed at build')
  expect(shown).toMatch(/next +npx faultline resume \S+ --state-dir \.github\/workflow-states/)
  expect(folder.faultline('resume', ...where).code).toBe(0)
  expect(folder.files().filter((path) => path.startsWith('.workflow'))).toEqual([])
  const [bundle] = folder.files('faultline-bundles').filter((path) => path.endsWith('manifest.json'))
  expect(folder.faultline('replay', (bundle ?? '').replace('/manifest.json', '')).code).toBe(1)

  const state = folder.faultlineWith(
    { WORKFLOW_STATE_DIRECTORY: '.github/workflow-states' },
    'status',
    '--json',
  )
  expect(JSON.parse(state.stdout)).toMatchObject({ status: 'completed' })
})
