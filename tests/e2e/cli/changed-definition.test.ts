import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import type { StateDocument } from '../../../src/trace/index.ts'
import { stranger } from '../../support/stranger.ts'
import type { Stranger } from '../../support/stranger.ts'
import { reviewed } from '../../support/workflows.ts'

let folder: Stranger

beforeEach(() => {
  folder = stranger(inject('packedPackage'), { 'flow.yaml': reviewed.yaml })
  folder.faultline('run', 'flow.yaml', '--mock', '--fault', 'agent-error:build')
})

afterEach(() => folder.remove())

test('a resume refuses a workflow file that was edited', () => {
  folder.write('flow.yaml', reviewed.yaml.replaceAll('announce\n', 'publish\n'))
  const refused = folder.faultline('resume')
  expect([refused.code, refused.stdout]).toEqual([2, ''])
  expect(refused.stderr).toMatch(
    /^error\[DEFINITION_CHANGED\]: .*steps\.announce is gone; steps\.publish is new/,
  )
})

test('a resume goes on without the workflow file and says so', () => {
  rmSync(join(folder.folder, 'flow.yaml'))
  const resumed = folder.faultline('resume')
  expect(resumed.code).toBe(0)
  expect(resumed.stdout).toContain(`The workflow file 'flow.yaml' is not there any more`)
})

test('a resume goes on under the edited file, and so does the replay of what it leads to', () => {
  folder.write(
    'agents.mjs',
    `export const agents = {
      good: ({ artifacts, step }) => artifacts.write('out/' + step, step),
      bad: () => { throw new Error('no paper') },
    }`,
  )
  const flow = `id: flow
steps:
  - { id: write, agent: good, creates: [out/write], next: print }
  - { id: print, agent: bad }
`
  folder.write('flow.yaml', flow)
  expect(folder.faultline('run', 'flow.yaml', '--agents', 'agents.mjs').code).toBe(1)
  folder.write('flow.yaml', flow.replaceAll('print', 'bind').replace('agent: bad', 'agent: bad, retries: 1'))
  const resumed = folder.faultline('resume', '--definition', 'current')
  expect([resumed.code, resumed.stderr]).toEqual([1, ''])
  const status = JSON.parse(folder.faultline('status', '--json').stdout) as StateDocument
  expect([status.error?.step, Object.keys(status.steps)]).toEqual(['bind', ['write', 'bind']])
  expect(status.steps['bind']?.attempts).toHaveLength(2)
  const [, bundle] = /npx faultline replay (\S+)/.exec(resumed.stdout) ?? []
  const replayed = folder.faultline('replay', bundle ?? '')
  expect([replayed.code, replayed.stdout]).toEqual([1, 'reproduced: bind failed: no paper\n'])
  folder.write('agents.mjs', folder.read('agents.mjs').replace('no paper', 'no ink'))
  const diverged = folder.faultline('replay', bundle ?? '')
  expect([diverged.code, diverged.stdout]).toEqual([
    3,
    expect.stringMatching(
      /^diverged at event \d+ \(step_fail print#1@1\): error\.message was 'no paper', now 'no ink'\n$/,
    ),
  ])
})
