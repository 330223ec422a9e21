import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { stranger } from '../../support/stranger.ts'
import type { Ended, Stranger } from '../../support/stranger.ts'
import { reviewed } from '../../support/workflows.ts'

const open: Stranger[] = []

afterEach(() => {
  for (const each of open.splice(0)) each.remove()
})

interface FailedRun {
  readonly folder: Stranger
  readonly runId: string
  readonly log: string
  readonly state: string
}

/** Retries, a review loop and a failure for good: a reason of every kind. */
function failedRun(): FailedRun {
  const yaml = reviewed.yaml.replace('agent: writer\n', 'agent: writer\n      retries: 1\n')
  const folder = stranger(inject('packedPackage'), { 'flow.yaml': yaml })
  open.push(folder)
  const faults = [
    'agent-error:build,times=1,message=the model is overloaded',
    'gate-failure:review,times=1,reason=the tone is too dry for people who are in a hurry',
    'agent-error:announce,message=the network is unreachable: no route to the announcing host',
  ].flatMap((fault) => ['--fault', fault])
  const time = ['--mock-delay', '400', '--clock', 'virtual']
  const failed = folder.faultline('run', 'flow.yaml', '--mock', ...time, ...faults)
  expect([failed.code, failed.stderr]).toEqual([1, ''])
  const { runId } = JSON.parse(folder.read('.workflow/last.json')) as { readonly runId: string }
  const home = `.workflow/runs/${runId}`
  return { folder, runId, log: `${home}/events.jsonl`, state: `${home}/state.json` }
}

function forget(folder: Stranger, ...paths: readonly string[]): void {
  for (const path of paths) rmSync(join(folder.folder, path))
}

/** What is printed, without what differs between two runs; no line has 80 columns. */
function text({ stdout, stderr }: Ended, runId: string): string {
  expect(stderr).toBe('')
  expect(stdout.split('\n').filter((line) => line.length >= 80)).toEqual([])
  return stdout
    .replaceAll(runId, '<run>')
    .replaceAll(/ +\d+ d ago/g, '  <age>')
    .replaceAll(/ +[\d.]+ kB/g, '  <size>')
}

async function matches(name: string, ended: Ended, runId: string): Promise<void> {
  await expect(text(ended, runId)).toMatchFileSnapshot(`../../golden/cli/${name}.txt`)
}

describe('looking back at a run', () => {
  test('tells what happened and why, alike when nothing but the log is left', async () => {
    const { folder, runId, state } = failedRun()
    expect(folder.faultline('resume').code).toBe(0)
    const commands = [['history'], ['timeline'], ['history', '--json'], ['timeline', '--json']] as const
    const told = commands.map((command) => folder.faultline(...command))
    await matches('history', told[0] as Ended, runId)
    await matches('timeline', told[1] as Ended, runId)
    expect(JSON.parse(told[2]?.stdout ?? '')).toMatchObject({
      runId,
      status: 'completed',
      events: expect.arrayContaining([
        expect.objectContaining({ kind: 'step_retry', step: 'build', visit: 1, attempt: 1 }),
      ]) as unknown,
    })
    expect(JSON.parse(told[3]?.stdout ?? '')).toMatchObject({
      runId,
      status: 'completed',
      steps: [
        { step: 'outline', attempts: [{ outcome: 'completed' }] },
        {
          step: 'build',
          attempts: [{ outcome: 'failed' }, { outcome: 'completed' }, { outcome: 'completed' }],
        },
        { step: 'review', attempts: [{ outcome: 'gate-failed' }, { outcome: 'completed' }] },
        { step: 'announce', attempts: [{ outcome: 'failed' }, { outcome: 'completed' }] },
      ],
    })
    forget(folder, state, '.workflow/last.json')
    expect(commands.map((command) => folder.faultline(...command))).toEqual(told)
    expect(folder.faultline('history', runId)).toEqual(told[0])
  })

  test('asks which run is meant when there are several and nothing says which was the last', () => {
    const { folder, runId } = failedRun()
    expect(folder.faultline('run', 'flow.yaml', '--mock').code).toBe(0)
    forget(folder, '.workflow/last.json')
    for (const command of [['history'], ['timeline'], ['state', 'validate'], ['state', 'restore']]) {
      const refused = folder.faultline(...command)
      expect([refused.code, refused.stdout, refused.stderr]).toEqual([
        2,
        '',
        expect.stringMatching(
          /^error\[RUN_NOT_FOUND\]: Nothing says which run was the last\. Name one of: '.*', '.*'\.\n$/,
        ),
      ])
      expect(refused.stderr).toContain(`'${runId}'`)
    }
  })

  test('says where a run was interrupted, that its tail was cut, and what the resume restarts', async () => {
    const { folder, runId, log, state } = failedRun()
    const lines = folder.read(log).split('\n')
    const started = lines.findIndex(
      (line) => line.includes('"kind":"step_start"') && line.includes('announce'),
    )
    forget(folder, state)
    folder.write(log, `${lines.slice(0, started + 1).join('\n')}\n${lines[started + 1]?.slice(0, 50)}`)
    await matches('history-interrupted', folder.faultline('history'), runId)
    await matches('timeline-interrupted', folder.faultline('timeline'), runId)
    expect(text(folder.faultline('state', 'list'), runId)).toContain('interrupted    3/4')
    expect(folder.faultline('resume').code).toBe(0)
    const resumed = folder.faultline('history').stdout.replaceAll(/\s+/g, ' ')
    const cut = `tail cut at seq ${started + 1}; state.json ignored: it is missing`
    expect(resumed).toMatch(new RegExp(` ${started + 1} \\S+ s resumed: restarts announce; ${cut} `))
  })
})

describe('looking after the state of runs', () => {
  test('a good run is listed and found good; a lost or damaged state.json is written anew from the log', async () => {
    const { folder, runId, log, state } = failedRun()
    await matches('state-list', folder.faultline('state', 'list'), runId)
    const good = folder.faultline('state', 'validate')
    expect([good.code, text(good, runId)]).toEqual([
      0,
      `good: ${eventsOf(folder, log).length} events and 2 artifacts of <run>\n`,
    ])

    const written = folder.read(state)
    const before = folder.read(log)
    for (const damage of [undefined, written.replace('"status":"failed"', '"status":"paused"')]) {
      if (damage === undefined) forget(folder, state)
      else folder.write(state, damage)
      const bad = folder.faultline('state', 'validate')
      expect([bad.code, bad.stderr]).toEqual([1, ''])
      expect(bad.stdout).toContain(`✗ ${state}\n`)
      const restored = folder.faultline('state', 'restore')
      expect([restored.code, restored.stdout, restored.stderr]).toEqual([
        0,
        `restored  ${state}\nstate     after event ${eventsOf(folder, log).length - 1} (failed), as the log has it\n`,
        '',
      ])
      expect(bodyOf(folder.read(state))).toEqual(bodyOf(written))
      expect(folder.faultline('state', 'validate').code).toBe(0)
    }
    expect(folder.read(log)).toBe(before)
  })

  test('the past is written to another file and the run stays as it is', () => {
    const { folder, runId, log } = failedRun()
    expect(folder.faultline('resume').code).toBe(0)
    const before = folder.files().map((path) => [path, folder.read(path)])
    const events = eventsOf(folder, log)
    const built = events.findIndex(({ kind, step }) => kind === 'step_finish' && step === 'build')
    const checkpoint = events.find(({ kind }) => kind === 'checkpoint')
    const past = [String(built), String(checkpoint?.name)].map((place) => {
      const written = folder.faultline('state', 'restore', '--at', place, '--out', `${place}.json`)
      expect([written.code, written.stderr]).toEqual([0, ''])
      return JSON.parse(folder.read(`${place}.json`)) as Readonly<Record<string, unknown>>
    })
    expect(past).toMatchObject([
      { seq: built, status: 'running', completedSteps: ['outline', 'build'] },
      { seq: checkpoint?.throughSeq, status: 'running', completedSteps: reviewed.steps },
    ])
    forget(folder, `${checkpoint?.name}.json`)
    const refused = [
      ['--at', String(built)],
      ['--at', String(built), '--out', `${built}.json`],
      ['--at', '999', '--out', 'new.json'],
      ['--at', '000999-announce', '--out', 'new.json'],
    ].map((options) => folder.faultline('state', 'restore', ...options))
    expect(refused.map(({ code }) => code)).toEqual([2, 2, 2, 2])
    expect(refused.map(({ stderr }) => stderr.replaceAll(runId, '<run>'))).toMatchInlineSnapshot(`
      [
        "error[CONFIGURATION_INVALID]: --at shows the past, which must not replace the state of the run: say where to write it with --out <file>.
      ",
        "error[CONFIGURATION_INVALID]: '10.json' cannot be written: EEXIST: file already exists, open '10.json'. Name a new file.
      ",
        "error[CONFIGURATION_INVALID]: Run '<run>' has no event 999: its log ends with event 29.
      ",
        "error[CONFIGURATION_INVALID]: The run has no checkpoint '000999-announce'. Did you mean '000027-announce'? The number of any event does as well; 'faultline history' shows both.
      ",
      ]
    `)
    forget(folder, `${built}.json`)
    expect(folder.files().map((path) => [path, folder.read(path)])).toEqual(before)
  })

  test('everything that is wrong with a run is named with its place and with what to do', async () => {
    const { folder, runId, log, state } = failedRun()
    folder.write(state, folder.read(state).replace('"completedSteps"', '"completedStepz"'))
    folder.write('.workflow/last.json', 'nothing')
    forget(folder, 'plan/outline.md')
    folder.write('notes/build.md', 'mine')
    folder.write(log, `${folder.read(log)}0badc0de {"v":1,`)
    const bad = folder.faultline('state', 'validate', runId)
    expect(bad.code).toBe(1)
    await matches('state-validate', bad, runId)
    const found = JSON.parse(folder.faultline('state', 'validate', runId, '--json').stdout) as {
      readonly findings: readonly { readonly severity: string; readonly file: string }[]
    }
    expect(found.findings.map(({ severity, file }) => [severity, file])).toEqual([
      ['note', log],
      ['problem', state],
      ['problem', '.workflow/last.json'],
      ['problem', 'notes/build.md'],
      ['problem', 'plan/outline.md'],
    ])

    folder.write(log, folder.read(log).replace('"agent":"planner"', '"agent":"planter"'))
    const corrupt = folder.faultline('state', 'validate', runId)
    expect(corrupt.code).toBe(1)
    await matches('state-validate-corrupt', corrupt, runId)
    expect(text(folder.faultline('state', 'list'), runId)).toMatch(/<run> +damaged +- +- +<size>\n/)
    for (const command of ['history', 'timeline'])
      expect(folder.faultline(command, runId).stderr).toMatch(
        /^error\[STATE_CORRUPT\]: .* line 1 \(event 0\): /,
      )
    expect(folder.faultline('state', 'restore', runId).stderr).toMatch(/^error\[STATE_CORRUPT\]/)
  })

  test('an empty folder has no runs, and a run that a live process holds is not restored', async () => {
    const empty = stranger(inject('packedPackage'), { 'flow.yaml': reviewed.yaml })
    open.push(empty)
    const none = empty.faultline('state', 'list')
    expect([none.code, none.stdout]).toEqual([0, 'No run has been started here.\n'])
    expect(empty.faultline('state', 'validate').code).toBe(2)
    const holder = empty.start('run', 'flow.yaml', '--mock', '--mock-delay', '600000')
    await new Promise<void>((resolve) => {
      holder.stdout?.setEncoding('utf8').on('data', (more: string) => {
        if (more.includes('> outline')) resolve()
      })
    })
    const refused = empty.faultline('state', 'restore')
    const exited = new Promise((resolve) => holder.once('exit', resolve))
    holder.kill('SIGKILL')
    await exited
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/^error\[RUN_OWNED\]/)])
    const lock = empty.files('.workflow').filter((path) => path.endsWith('/lock'))
    const left = lock.map((path) => empty.read(path))
    expect(empty.faultline('state', 'restore').code).toBe(0)
    expect(lock.map((path) => empty.read(path))).toEqual(left)
  })
})

interface LoggedEvent {
  readonly kind: string
  readonly step?: string
  readonly name?: string
  readonly throughSeq?: number
}

function eventsOf(folder: Stranger, log: string): readonly LoggedEvent[] {
  const lines = folder.read(log).trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line.slice(9)) as LoggedEvent)
}

/** A state without what counts its savings. */
function bodyOf(state: string): Readonly<Record<string, unknown>> {
  const { saveSeq, checksum, ...body } = JSON.parse(state) as Readonly<Record<string, unknown>>
  expect([typeof saveSeq, typeof checksum]).toEqual(['number', 'string'])
  return body
}
