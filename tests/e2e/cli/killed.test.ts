import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { artifacts, lastRun, project, startsOf } from '../../support/run-folder.ts'
import type { Stranger } from '../../support/stranger.ts'
import { reviewed } from '../../support/workflows.ts'

/** Agents that note each call outside the workflow, and stop for good at the place that the file `hold` names. */
const agents = `import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'

const hold = existsSync('hold') ? readFileSync('hold', 'utf8') : ''

async function reached(place) {
  if (place !== hold) return
  writeFileSync('reached', place)
  setInterval(() => {}, 1_000)
  await new Promise(() => {})
}

async function work({ artifacts, creates, requires, step, thresholds }) {
  await reached('before ' + step)
  appendFileSync('calls', step + ' ')
  for (const path of creates) {
    const file = path.endsWith('/') ? path + step + '.md' : path
    await artifacts.write(file, step + ' makes this of ' + requires.join(' and '))
  }
  await reached('inside ' + step)
  return { scores: thresholds }
}

export const agents = { planner: work, writer: work, reviewer: work }
`

const files = { 'flow.yaml': reviewed.yaml, 'faultline.agents.mjs': agents }

/** Runs the workflow up to a place, kills the process there with SIGKILL, and takes the hold away. */
async function killedAt(place: string): Promise<Stranger> {
  const folder = project({ ...files, hold: place })
  const child = folder.start('run', 'flow.yaml')
  const exited = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)))
  await expect.poll(() => folder.files(), { timeout: 60_000 }).toContain('reached')
  child.kill('SIGKILL')
  expect(await exited).toBe('SIGKILL')
  rmSync(join(folder.folder, 'hold'))
  rmSync(join(folder.folder, 'reached'))
  return folder
}

function undisturbed(): Readonly<Record<string, string>> {
  const folder = project(files)
  expect(folder.faultline('run', 'flow.yaml').code).toBe(0)
  const { calls, ...made } = artifacts(folder)
  expect(calls).toBe(`${reviewed.steps.join(' ')} `)
  return made
}

const twice = (step: string): readonly string[] =>
  reviewed.steps.flatMap((id) => (id === step ? [id, id] : [id]))

describe('a process that is killed with SIGKILL', { timeout: 180_000 }, () => {
  test('inside any step leaves a run that names the step, and completes without repeating another', async () => {
    const expected = undisturbed()
    for (const step of reviewed.steps) {
      const folder = await killedAt(`inside ${step}`)
      expect(folder.faultline('status').stdout).toContain(`status   interrupted in ${step}\n`)
      expect([step, folder.faultline('resume').code]).toEqual([step, 0])
      const { calls, ...made } = artifacts(folder)
      expect([step, made]).toEqual([step, expected])
      expect(calls).toBe(`${twice(step).join(' ')} `)
      expect(startsOf(folder)).toEqual(twice(step))
      folder.remove()
    }
  })

  test('between any two steps leaves a run that goes on with the next, and calls no agent twice', async () => {
    const expected = undisturbed()
    for (const step of reviewed.steps) {
      const folder = await killedAt(`before ${step}`)
      expect(folder.faultline('status').stdout).toContain(`status   interrupted in ${step}\n`)
      expect([step, folder.faultline('resume').code]).toEqual([step, 0])
      const { calls, ...made } = artifacts(folder)
      expect([step, made]).toEqual([step, expected])
      expect(calls).toBe(`${reviewed.steps.join(' ')} `)
      folder.remove()
    }
  })

  test('before the start of the next step was on disk leaves a run that names the last one', async () => {
    const expected = undisturbed()
    const folder = await killedAt('before review')
    const log = `.workflow/runs/${lastRun(folder)}/events.jsonl`
    const lines = folder.read(log).trimEnd().split('\n')
    expect([lines.at(-2), lines.at(-1)]).toEqual([
      expect.stringContaining('"kind":"step_finish"'),
      expect.stringContaining('"kind":"step_start"'),
    ])
    folder.write(log, `${lines.slice(0, -1).join('\n')}\n`)
    expect(folder.faultline('status').stdout).toContain('status   interrupted after build\n')
    expect(folder.faultline('resume').code).toBe(0)
    const { calls, ...made } = artifacts(folder)
    expect(made).toEqual(expected)
    expect(calls).toBe(`${reviewed.steps.join(' ')} `)
  })

  test('is taken over by one of several processes that all resume it at once', async () => {
    const expected = undisturbed()
    const folder = await killedAt('inside build')
    const resumes = Array.from({ length: 4 }, () => folder.start('resume'))
    const codes = await Promise.all(
      resumes.map((child) => new Promise<number | null>((resolve) => child.once('exit', resolve))),
    )
    expect(codes.filter((code) => code === 0)).toHaveLength(1)
    expect(codes.filter((code) => code === 2)).toHaveLength(3)
    const { calls, ...made } = artifacts(folder)
    expect(made).toEqual(expected)
    expect(calls).toBe(`${twice('build').join(' ')} `)
    expect(startsOf(folder)).toEqual(twice('build'))
  })
})
