import { randomUUID } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import { isFaultlineError } from '../../../../src/core/index.ts'
import { createReferenceDriver, defineWorkflow } from '../../../../src/engine/index.ts'
import { createProject, defineInvariant, sweepFaults } from '../../../../src/harness/index.ts'
import type { SweepOptions, SweepReport } from '../../../../src/harness/index.ts'
import type { Agents, FileOperation, WorkflowDriver } from '../../../../src/ports/index.ts'
import { sweptAgents } from '../../../support/swept-workflows.ts'

// However busy the machine is.
vi.setConfig({ testTimeout: 600_000 })

const twoSteps = defineWorkflow({
  id: 'two',
  steps: [
    { id: 'one', agent: 'writer', creates: ['out/one.txt'] },
    { id: 'two', agent: 'writer', creates: ['out/two.txt'] },
  ],
})

async function sweep(options: Omit<SweepOptions, 'project'> = {}): Promise<SweepReport> {
  const project = await createProject({ storage: 'memory' })
  return sweepFaults(twoSteps, { project, agents: sweptAgents, recoveryCrashes: false, ...options })
}

/** The engine on a disk that reports success for some operations and does nothing. */
function ignoring(isIgnored: (operation: FileOperation) => boolean): WorkflowDriver {
  const inner = createReferenceDriver()
  return {
    ...inner,
    incarnate: (ports) =>
      inner.incarnate({
        ...ports,
        files: {
          perform: (operation) =>
            isIgnored(operation) ? (undefined as never) : ports.files.perform(operation),
        },
      }),
  }
}

describe('a sweep', () => {
  test('finds what an engine that does not sync its log has lost', async () => {
    const driver = ignoring(({ op, path }) => op === 'fsync' && path.endsWith('events.jsonl'))
    const { findings } = await sweep({ driver, families: ['crash'] })
    const lost = findings.find(({ violations }) => violations.some(({ invariant }) => invariant === 'O8'))
    expect(lost?.faults[0]).toMatchObject({
      family: 'crash',
      outcome: expect.stringMatching(/^(?:torn|power)-/),
    })
    expect(lost?.violations.map(({ sentence }) => sentence)).toContainEqual(
      expect.stringMatching(/^Step 'one' \(visit 1\) was lost: incarnation 1 had reported it complete/),
    )
  })

  test('finds nothing of that when the machine does not lose power', async () => {
    const driver = ignoring(({ op, path }) => op === 'fsync' && path.endsWith('events.jsonl'))
    const { findings } = await sweep({ driver, families: ['disk'] })
    expect(findings.filter(({ faults }) => !faults.some((fault) => 'powerLoss' in fault))).toEqual([])
  })

  test('tries subsets of what was not synced when asked, and finds nothing then either', async () => {
    const corners = await sweep({ families: ['crash'] })
    const subsets = await sweep({ families: ['crash'], outcomes: 'subsets' })
    expect([corners.findings, subsets.findings]).toEqual([[], []])
    expect(subsets.families.crash?.scenarios).toBeGreaterThan(corners.families.crash?.scenarios as number)
  })

  test('judges by an invariant of the caller too', async () => {
    const never = defineInvariant({
      name: 'no-second-life',
      title: 'the first life is the last',
      check({ evidence }, verdict) {
        if (evidence.earlierLives.length > 0) verdict.broken('There was a second life.')
      },
    })
    const { findings } = await sweep({ families: ['crash'], invariants: [never] })
    expect(findings[0]?.violations).toEqual([
      { invariant: 'no-second-life', sentence: 'There was a second life.' },
    ])
  })

  test('leaves the project as it is', async () => {
    const project = await createProject({ storage: 'memory' })
    await project.write('brief.md', 'as it was')
    const { families } = await sweepFaults(twoSteps, { project, agents: sweptAgents, families: ['disk'] })
    // What was there before the run is none of its writes.
    expect(families.disk?.counted).toBe(families.disk?.points)
    expect(await project.list({ all: true })).toEqual(['brief.md'])
    expect(await project.readText('brief.md')).toBe('as it was')
  })
})

describe('a sweep is refused', () => {
  const refusal = async (agents: Agents): Promise<unknown> =>
    sweep({ agents }).then(
      () => undefined,
      (error: unknown) => (isFaultlineError(error) ? [error.code, error.message] : error),
    )

  test('when the workflow does not complete without faults', async () => {
    const agents: Agents = {
      writer() {
        throw new Error('model overloaded')
      },
    }
    expect(await refusal(agents)).toEqual([
      'SWEEP_IMPOSSIBLE',
      `Workflow 'two' does not complete without faults (it ended failed: model overloaded), so there is nothing to compare ` +
        `faults with. Mend that first.`,
    ])
  })

  test('when two runs without faults differ, with the first difference', async () => {
    let calls = 0
    const agents: Agents = {
      async writer({ step, artifacts }) {
        await artifacts.write(`out/${step}.txt`, `call ${++calls}`)
        return { calls }
      },
    }
    expect(await refusal(agents)).toEqual([
      'NOT_DETERMINISTIC',
      expect.stringMatching(
        /^Two runs of workflow 'two' .* is 1\/one#1@1:files\.write:staging\/one#1@1\/out\/one\.txt#1, which wrote "call 1", and then "call 3"\. .*Event 2 \(artifacts_prepared\) has artifacts\[0\]\.sha256.* state that a module keeps/,
      ),
    ])
  })

  test.each<[string, () => unknown]>([
    ['Math.random', () => Math.random()],
    ['Date.now', () => performance.now() + Date.now()],
    ['new Date()', () => `${new Date().getTime()} ${performance.now()}`],
    ['crypto.randomUUID', () => randomUUID()],
  ])('when its agents use %s, which is named', async (name, chance) => {
    const agents: Agents = {
      async writer({ step, artifacts }) {
        await artifacts.write(`out/${step}.txt`, String(chance()))
        return null
      },
    }
    const [code, message] = (await refusal(agents)) as readonly [string, string]
    expect(code).toBe('NOT_DETERMINISTIC')
    expect(message).toContain('the agent of step ')
    expect(message).toContain(` uses ${name}`)
  })
})
