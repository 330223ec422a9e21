import { expect, test } from 'vitest'
import { createReferenceDriver, defineWorkflow, loadWorkflow } from '../../../../src/engine/index.ts'
import { createProject, runFinding, sweepFaults, sweptFindingsOf } from '../../../../src/harness/index.ts'
import type { FaultSequence, RecordedFinding, SweepOptions } from '../../../../src/harness/index.ts'
import type { Agents, WorkflowDriver } from '../../../../src/ports/index.ts'
import { sweptAgents } from '../../../support/swept-workflows.ts'

const chain = defineWorkflow({
  id: 'chain',
  steps: [
    { id: 'one', agent: 'writer', creates: ['out/one.txt'] },
    { id: 'two', agent: 'writer', requires: ['out/one.txt'], creates: ['out/two.txt'] },
  ],
})
const invoice = defineWorkflow({
  id: 'invoice',
  steps: [
    { id: 'prices', agent: 'pricer' },
    { id: 'invoice', agent: 'biller', requires: [] },
  ],
})

/** Resumes under whatever definition it is given. */
function careless(): WorkflowDriver {
  const inner = createReferenceDriver()
  return {
    ...inner,
    incarnate(ports) {
      const life = inner.incarnate(ports)
      return { ...life, recover: ({ expects: _expects, ...request }) => life.recover(request) }
    },
  }
}

/** Needs what it does not say it needs. */
const hasty: Agents = {
  pricer: ({ artifacts }) => artifacts.write('prices.json', '[12]'),
  async biller({ artifacts }) {
    const known = (await artifacts.list()).includes('prices.json')
    await artifacts.write('invoice.txt', known ? 'prices' : 'no prices')
  },
}

/** What each finding is, and what a second run of its faults records. */
async function recorded(
  workflow: typeof chain,
  options: SweepOptions,
): Promise<readonly { readonly faults: FaultSequence; readonly again: RecordedFinding | undefined }[]> {
  const project = await createProject({ storage: 'memory' })
  await sweepFaults(workflow, { project, minimise: false, ...options })
  return Promise.all(
    sweptFindingsOf(project).map(async ({ finding, record }) => ({
      faults: finding.faults,
      again: await record(),
    })),
  )
}

test('a resume under another definition is recorded, and found again as long as it is not refused', async () => {
  const findings = await recorded(chain, {
    families: ['lifecycle'],
    agents: sweptAgents,
    driver: careless(),
  })
  expect(findings.length).toBeGreaterThan(0)
  for (const { faults, again } of findings) {
    expect(faults).toMatchObject([{ family: 'lifecycle', action: 'change-definition' }])
    expect(again?.violations.map(({ sentence }) => sentence)).toContain(
      'The run was resumed under another definition than it goes by.',
    )
    expect(again?.recording?.events.map(({ kind }) => kind)).toContain('workflow_resume')
    const mended = await runFinding(await loadWorkflow(chain), faults, { agents: sweptAgents })
    expect(mended?.violations).toEqual([])
    expect(mended?.recording).toBeDefined()
  }
})

test('an order of agents is recorded, and found again as long as somebody minds it', async () => {
  const [finding] = await recorded(invoice, { families: ['schedule'], agents: hasty })
  expect(finding?.faults).toMatchObject([{ family: 'schedule' }])
  expect(finding?.again?.violations.map(({ invariant }) => invariant)).toContain('O1')
  expect(finding?.again?.recording?.events.at(-1)).toMatchObject({ kind: 'workflow_end' })
  const patient: Agents = {
    ...hasty,
    async biller({ artifacts }) {
      await artifacts.list()
      await artifacts.write('invoice.txt', 'the prices follow')
    },
  }
  const mended = await runFinding(await loadWorkflow(invoice), finding?.faults ?? [], { agents: patient })
  expect(mended?.violations).toEqual([])
})
