import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createReferenceDriver, defineWorkflow, loadWorkflow } from '../../../../src/engine/index.ts'
import { createProject, defineInvariant, sweepFaults } from '../../../../src/harness/index.ts'
import type { SweepOptions, SweepReport } from '../../../../src/harness/index.ts'
import { minimise } from '../../../../src/harness/sweep/minimise.ts'
import type { WorkflowDriver } from '../../../../src/ports/index.ts'
import { chainOfSix, sweptAgents as agents } from '../../../support/swept-workflows.ts'

// However busy the machine is.
vi.setConfig({ testTimeout: 600_000 })

const chain = defineWorkflow({ ...chainOfSix, steps: chainOfSix.steps.slice(0, 3) })

async function sweep(options: SweepOptions): Promise<SweepReport> {
  const project = await createProject({ storage: 'memory' })
  return sweepFaults(chain, { project, agents, families: ['crash'], stopAt: 'first-finding', ...options })
}

/** The engine on a disk that reports success for every sync of a log and does nothing. */
function unsynced(): WorkflowDriver {
  const inner = createReferenceDriver()
  return {
    ...inner,
    incarnate: (ports) =>
      inner.incarnate({
        ...ports,
        files: {
          perform: (operation) =>
            operation.op === 'fsync' && operation.path.endsWith('events.jsonl')
              ? (undefined as never)
              : ports.files.perform(operation),
        },
      }),
  }
}

const twoCrashes = defineInvariant({
  name: 'one-crash-at-most',
  title: 'no run dies twice',
  check({ evidence }, verdict) {
    if (evidence.earlierLives.length > 1) verdict.broken('It died twice.')
  },
})

describe('the plan of a finding is made small', () => {
  test('to one fault and the steps that it needs', async () => {
    const { findings } = await sweep({ driver: unsynced() })
    const { minimised, violations } = findings[0] ?? {}
    expect(minimised?.faults).toHaveLength(1)
    expect(minimised?.steps).toEqual(['s0'])
    const invariants = violations?.map(({ invariant }) => invariant)
    expect(invariants).toEqual(expect.arrayContaining([...(minimised?.invariants ?? ['none'])]))
    expect(minimised?.runs).toBeGreaterThan(2)
  })

  test('and keeps the two faults that it takes', async () => {
    const { findings } = await sweep({ recoveryCrashes: true, invariants: [twoCrashes] })
    expect(findings[0]?.faults).toHaveLength(2)
    expect(findings[0]?.minimised).toMatchObject({
      faults: [{ family: 'crash' }, { family: 'crash' }],
      steps: ['s0'],
      invariants: ['one-crash-at-most'],
    })
  })

  test('and drops the faults that it does not take', async () => {
    const faults = ['a', 'b', 'c', 'd', 'e'].map(
      (at) => ({ family: 'crash', at, outcome: 'power-min' }) as const,
    )
    const { definition } = await loadWorkflow(chain)
    const tried: string[] = []
    const plan = await minimise(
      { faults, violations: [{ invariant: 'O1', sentence: '' }] },
      {
        definition,
        broken: async (_definition, sequence) => {
          tried.push(sequence.map(({ at }) => at).join(''))
          const together = sequence.some(({ at }) => at === 'b') && sequence.some(({ at }) => at === 'e')
          return new Set(together ? ['O1'] : ['O2'])
        },
        search: async () => undefined,
      },
    )
    const needed = [faults[1], faults[4]].map((fault) => ({ ...fault, outcome: 'kill' }))
    expect(plan).toEqual({
      faults: needed,
      inWhole: needed,
      steps: ['s0', 's1', 's2'],
      invariants: ['O1'],
      runs: tried.length,
    })
    expect(tried.slice(-2)).toEqual(['be', 'be'])
  })

  test('and is not reported when it does not do the same again', async () => {
    let runs = 0
    const { definition } = await loadWorkflow(chain)
    const plan = await minimise(
      {
        faults: [{ family: 'crash', at: 'a', outcome: 'kill' }],
        violations: [{ invariant: 'O1', sentence: '' }],
      },
      { definition, broken: async () => new Set(runs++ < 1 ? ['O1'] : []), search: async () => undefined },
    )
    expect(plan).toBeUndefined()
  })

  test('unless nobody wants it', async () => {
    const { findings } = await sweep({ driver: unsynced(), minimise: false })
    expect(findings[0]).not.toHaveProperty('minimised')
  })
})

describe('a corpus', () => {
  let corpus = ''
  beforeEach(async () => {
    corpus = await mkdtemp(join(tmpdir(), 'faultline-corpus-'))
  })
  afterEach(() => rm(corpus, { recursive: true }))

  test('keeps what was found, which then fails first, in the same way, until it is mended', async () => {
    const first = await sweep({ driver: unsynced(), corpus })
    const [file = ''] = await readdir(corpus)
    expect(file).toMatch(/^chain-[0-9a-f]{12}\.json$/)
    const { faults, invariants } = JSON.parse(await readFile(join(corpus, file), 'utf8')) as {
      readonly faults: unknown
      readonly invariants: readonly string[]
    }
    expect(faults).toEqual(first.findings[0]?.minimised?.inWhole)

    const again = await sweep({ driver: unsynced(), corpus, minimise: false })
    expect(again.corpus).toEqual({ plans: 1, failing: 1, obsolete: 0 })
    expect(again.families).toEqual({})
    expect(again.findings[0]?.faults).toEqual(faults)
    expect(again.findings[0]?.violations.map(({ invariant }) => invariant)).toEqual(
      expect.arrayContaining([...invariants]),
    )
    expect(await readdir(corpus)).toEqual([file])

    const mended = await sweep({ corpus })
    expect([mended.corpus, mended.findings]).toEqual([{ plans: 1, failing: 0, obsolete: 0 }, []])
  })

  test('says which of its plans name points that are no longer there', async () => {
    const fault = { family: 'crash', at: '1/gone#1@1:files.write:nowhere#1', outcome: 'kill' }
    const plan = { version: 1, workflowId: 'chain', faults: [fault], invariants: ['O8'] }
    await writeFile(join(corpus, 'old.json'), JSON.stringify(plan))
    await writeFile(join(corpus, 'other.json'), JSON.stringify({ ...plan, workflowId: 'other' }))
    expect((await sweep({ corpus })).corpus).toEqual({ plans: 1, failing: 0, obsolete: 1 })
  })

  test('is refused with the name of a file that is no plan', async () => {
    await writeFile(join(corpus, 'broken.json'), '{')
    await expect(sweep({ corpus })).rejects.toThrow("'broken.json' in the corpus")
  })
})
