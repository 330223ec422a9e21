import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { lastRun, project, startsOf, stateOf } from '../../support/run-folder.ts'

const approval = `id: approval
steps:
  - { id: draft, agent: writer, creates: [draft.md] }
  - id: review
    agent: reviewer
    gate: { human: true, expires_after: 2h, on_pass: send, on_fail: draft }
  - { id: send, agent: writer, parameters: { to: "\${input.name}" } }
`

describe('a run that waits for somebody', () => {
  test('says what it wants, and goes on with each answer and with the input it was given', () => {
    const folder = project({ 'flow.yaml': approval })
    const first = folder.faultline('run', 'flow.yaml', '--mock')
    const run = lastRun(folder)
    expect([first.code, first.stdout.split('\n').slice(-4)]).toEqual([
      1,
      [
        '  ? review  waits for an answer to its gate',
        `waiting  ${run}`,
        `next  npx faultline answer ${run} review --pass`,
        '',
      ],
    ])
    const undecided = folder.faultline('answer', run, 'review')
    expect([undecided.code, undecided.stderr]).toEqual([
      2,
      expect.stringContaining('either --pass or --fail'),
    ])
    expect(folder.faultline('answer', run, 'review', '--fail', '--reason', 'too long').code).toBe(1)
    expect(startsOf(folder)).toEqual(['draft', 'review', 'draft', 'review'])
    const third = folder.faultline('answer', run, 'review', '--pass')
    expect([third.code, third.stdout]).toEqual([
      1,
      expect.stringContaining(`next  npx faultline resume ${run} --input name=<value>`),
    ])
    expect(folder.faultline('status').stdout).toContain('no value for ${input.name}')
    expect(folder.faultline('resume', '--input', 'name=Ada').code).toBe(0)
    expect(startsOf(folder).at(-1)).toBe('send')
    expect(stateOf(folder)).toMatchObject({
      status: 'completed',
      input: { name: 'Ada' },
      gateDecisions: [
        { passed: false, reason: 'too long', by: 'person' },
        { passed: true, by: 'person' },
      ],
    })
    const late = folder.faultline('answer', run, 'review', '--pass')
    expect([late.code, late.stderr]).toEqual([2, expect.stringMatching(/^error\[RUN_NOT_RESUMABLE\]/)])
  })
})

describe('cancelling from another process', () => {
  const slow = `id: slow
steps: [{ id: long, agent: worker }, { id: later, agent: worker }]
`

  async function started(): Promise<{
    readonly folder: ReturnType<typeof project>
    readonly child: ChildProcess
  }> {
    const folder = project({ 'flow.yaml': slow })
    const child = folder.start('run', 'flow.yaml', '--mock', '--mock-delay', '600000')
    await shows(child, '> long')
    return { folder, child }
  }

  test('ends a run that a process holds, by its own hand, for good', async () => {
    const { folder, child } = await started()
    const exited = once(child, 'exit')
    const cancelled = folder.faultline('cancel', '--reason', 'no longer wanted')
    expect([cancelled.code, cancelled.stderr]).toEqual([0, ''])
    expect(await exited).toEqual([1, null])
    expect(stateOf(folder)).toMatchObject({ status: 'cancelled', reason: 'no longer wanted', epoch: 1 })
    expect(folder.files().filter((path) => /cancel\.json|\/lock$/.test(path))).toEqual([])
    expect(folder.faultline('resume').stderr).toMatch(/^error\[RUN_NOT_RESUMABLE\]/)
  })

  test('ends a run whose process was killed', async () => {
    const { folder, child } = await started()
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    expect(folder.faultline('cancel').code).toBe(0)
    expect(stateOf(folder)).toMatchObject({ status: 'cancelled', reason: 'cancelled from the command line' })
  })

  test('knows no run of another name', () => {
    const folder = project({ 'flow.yaml': slow })
    const { code, stderr } = folder.faultline('cancel', 'slow-00000000')
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^error\[RUN_NOT_FOUND\]/)])
  })
})

function shows(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve) => {
    let output = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (output.includes(text)) resolve()
    })
  })
}
