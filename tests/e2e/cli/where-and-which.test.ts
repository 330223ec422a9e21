import { cpSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import { artifacts, contents, lastRun, project, startsOf } from '../../support/run-folder.ts'
import { strangerIn } from '../../support/stranger.ts'
import type { Stranger } from '../../support/stranger.ts'
import { parallel, reviewed } from '../../support/workflows.ts'

interface Status {
  readonly runId: string
  readonly status: string
  readonly steps: Readonly<Record<string, { readonly status: string; readonly output: unknown }>>
  readonly artifacts: readonly { readonly path: string; readonly sha256: string }[]
}

function status(folder: Stranger, ...args: readonly string[]): Status {
  return JSON.parse(folder.faultline('status', ...args, '--json').stdout) as Status
}

/** What a run came to: no ids, times, visits or attempts. */
function canonical(folder: Stranger): object {
  const { status: ended, steps, artifacts: made } = status(folder)
  return {
    ended,
    steps: Object.entries(steps).map(([id, step]) => [id, step.status, step.output]),
    artifacts: made.map(({ path, sha256 }) => [path, sha256]),
  }
}

describe('a project folder that is copied elsewhere after a failure', () => {
  test('resumes there and comes to the same, for nothing in its state is absolute', () => {
    const here = project({ 'flow.yaml': parallel.yaml })
    const failed = here.faultline('run', 'flow.yaml', '--mock', '--fault', 'agent-error:check-right')
    expect(failed.code).toBe(1)
    const state = Object.entries(contents(here)).filter(([path]) => path.startsWith('.workflow/'))
    const absolute = [dirname(here.folder), basename(here.folder), tmpdir(), process.cwd()]
    expect(
      state.flatMap(([path, text]) => (absolute.some((each) => text.includes(each)) ? [path] : [])),
    ).toEqual([])

    const elsewhere = join(mkdtempSync(join(inject('packedPackage'), 'moved-')), 'deeper/another project')
    mkdirSync(dirname(elsewhere), { recursive: true })
    cpSync(here.folder, elsewhere, { recursive: true })
    const there = strangerIn(inject('packedPackage'), elsewhere)
    onTestFinished(() => there.remove())

    expect([here.faultline('resume').code, there.faultline('resume').code]).toEqual([0, 0])
    expect(canonical(there)).toEqual(canonical(here))
    expect(artifacts(there)).toEqual(artifacts(here))
    expect(startsOf(there)).toEqual(startsOf(here))
  })
})

describe('of two runs in one project', () => {
  test('the last is taken when none is named, the other by its id, and a misspelt id is told', () => {
    const folder = project({ 'first.yaml': reviewed.yaml, 'second.yaml': parallel.yaml })
    folder.faultline('run', 'first.yaml', '--mock', '--fault', 'agent-error:build')
    const first = lastRun(folder)
    folder.faultline('run', 'second.yaml', '--mock', '--fault', 'agent-error:join')
    const second = lastRun(folder)
    expect([status(folder).runId, status(folder, first).runId]).toEqual([second, first])

    const misspelt = folder.faultline('resume', `${first}x`)
    expect([misspelt.code, misspelt.stdout]).toEqual([2, ''])
    expect(misspelt.stderr).toContain(`There is no run '${first}x'`)
    expect(misspelt.stderr).toContain(`Did you mean '${first}'?`)

    expect(folder.faultline('resume').code).toBe(0)
    expect([status(folder, first).status, status(folder, second).status]).toEqual(['failed', 'completed'])
    expect(folder.faultline('resume', first).code).toBe(0)
    expect([status(folder, first).status, status(folder, second).status]).toEqual(['completed', 'completed'])
    expect(folder.faultline('resume', second).stderr).toContain('error[RUN_NOT_RESUMABLE]')
  })
})
