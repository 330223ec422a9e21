import type { ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { artifacts, contents, lastRun, project, startsOf, stateOf } from '../../support/run-folder.ts'
import { parallel, reviewed } from '../../support/workflows.ts'

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
    [
      'a tab in YAML',
      ['run', 'flow.yaml', '--mock'],
      { 'flow.yaml': reviewed.yaml.replace('      agent: planner', '\tagent: planner') },
    ],
    [
      'a key that YAML has twice',
      ['run', 'flow.yaml', '--mock'],
      { 'flow.yaml': reviewed.yaml.replace('agent: planner', 'agent: planner\n      agent: writer') },
    ],
    [
      'a misspelt step in the workflow',
      ['run', 'flow.yaml', '--mock'],
      { 'flow.yaml': reviewed.yaml.replace('next: review', 'next: reviw') },
    ],
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
    [
      'two agents modules',
      ['run', 'flow.yaml'],
      {
        'faultline.agents.mjs': 'export const agents = {}',
        'faultline.agents.ts': 'export const agents = {}',
      },
    ],
    ['a foreign file in the way', ['run', 'flow.yaml', '--mock'], { 'plan/outline.md': 'mine' }],
    ['a file in place of the state folder', ['run', 'flow.yaml', '--mock'], { '.workflow': 'not a folder' }],
    ['a resume with nothing to resume', ['resume'], {}],
    ['an unknown command', ['runn'], {}],
  ] as const)(
    '%s is one paragraph, exit code 2, and nothing written',
    (_name, args, files: Readonly<Record<string, string>>) => {
      const folder = project({ 'flow.yaml': reviewed.yaml, ...files })
      const before = contents(folder)
      const ended = folder.faultline(...args)
      expect(ended.stderr.replaceAll(folder.folder, '<folder>')).toMatchSnapshot()
      expect(ended.stderr.split('\n')).toHaveLength(2)
      expect([ended.code, ended.stdout]).toEqual([2, ''])
      expect(contents(folder)).toEqual(before)
    },
  )
})

describe('a damaged run', () => {
  test.each([
    ['status', ['status']],
    ['resume', ['resume']],
  ])('is refused by %s with file and line, exit code 2, and nothing written', (_name, args) => {
    const folder = project({ 'flow.yaml': reviewed.yaml })
    folder.faultline('run', 'flow.yaml', '--mock', '--fault', 'agent-error:review')
    const log = `.workflow/runs/${lastRun(folder)}/events.jsonl`
    folder.write(log, folder.read(log).replace('"step":"outline"', '"step":"outlime"'))
    const before = contents(folder)
    const ended = folder.faultline(...args)
    expect([ended.code, ended.stdout, ended.stderr]).toEqual([
      2,
      '',
      `error[STATE_CORRUPT]: ${log} is damaged: line 2 (event 1): the checksum does not match. Nothing was changed. ` +
        'Restore the file from a copy; faultline never repairs this in silence.\n',
    ])
    expect(contents(folder)).toEqual(before)
  })

  test('whose last line was cut short goes on, and says so', () => {
    const folder = project({ 'flow.yaml': reviewed.yaml })
    folder.faultline('run', 'flow.yaml', '--mock', '--fault', 'agent-error:review')
    const log = `.workflow/runs/${lastRun(folder)}/events.jsonl`
    const seq = folder.read(log).trimEnd().split('\n').length
    folder.write(log, `${folder.read(log)}0a1b2c3d {"seq":`)
    const resumed = folder.faultline('resume')
    expect([resumed.code, resumed.stderr]).toEqual([0, ''])
    expect(resumed.stdout).toContain(`  ! event ${seq} was cut short on disk and is dropped\n`)
  })

  test('without its log, or without the pointer to the last run, is told as that', () => {
    const folder = project({ 'flow.yaml': reviewed.yaml })
    folder.faultline('run', 'flow.yaml', '--mock', '--fault', 'agent-error:review')
    const runId = lastRun(folder)
    folder.write('.workflow/last.json', '{')
    const onlyRun = folder.faultline('resume')
    expect([onlyRun.code, onlyRun.stderr]).toEqual([
      0,
      'warning: .workflow/last.json was ignored because it names no run; it names this one now.\n',
    ])
    rmSync(join(folder.folder, `.workflow/runs/${runId}/events.jsonl`))
    expect(folder.faultline('resume', runId).stderr).toContain(
      `error[STATE_CORRUPT]: .workflow/runs/${runId}/events.jsonl is damaged: it is missing.`,
    )
  })

  test('whose state file was edited goes on from its log, and says so', () => {
    const folder = project({ 'flow.yaml': reviewed.yaml })
    folder.faultline('run', 'flow.yaml', '--mock', '--fault', 'agent-error:review')
    const file = `.workflow/runs/${lastRun(folder)}/state.json`
    folder.write(
      file,
      folder.read(file).replace('"completedSteps":["outline","build"]', '"completedSteps":[]'),
    )
    const resumed = folder.faultline('resume')
    expect([resumed.code, resumed.stderr]).toEqual([
      0,
      `warning: ${file} was ignored because its checksum does not match its content; the log stands in for it.\n`,
    ])
    expect(startsOf(folder)).toEqual(['outline', 'build', 'review', 'review', 'announce'])
  })
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
