import { expect, test } from 'vitest'
import { createProject, runWorkflowStepByStep, sweepFaults } from '../../../../src/harness/index.ts'
import { createReferenceDriver } from '../../../../src/engine/index.ts'
import type { FamilyCoverage, SweepOptions } from '../../../../src/harness/index.ts'
import type { WorkflowSource } from '../../../../src/engine/index.ts'
import type { FilesPort, WorkflowDriver } from '../../../../src/ports/index.ts'
import { sweptAgents as agents } from '../../../support/swept-workflows.ts'

const timeout = 600_000

/** Every crash and every disk error at every write of a run, judged by all invariants. */
export function survivesEveryFault(workflow: WorkflowSource): void {
  test(
    'survives a crash at every write, with all that it can leave, and again in the recovery',
    { timeout },
    async () => {
      const { findings, families } = await swept(workflow, 'crash', { recoveryCrashes: true })
      expect(findings).toEqual([])
      const points = await writesOf(workflow)
      expect(families.crash).toMatchObject({ hit: points, points, counted: points })
      expect(triedIn(families.crash)).toBeGreaterThan(20 * points)
    },
  )

  test('survives a crash at every write with any subset of what was not synced', { timeout }, async () => {
    const options = { outcomes: 'subsets', recoveryCrashes: false } as const
    const { findings, families } = await swept(workflow, 'crash', options)
    expect(findings).toEqual([])
    const points = await writesOf(workflow)
    expect(families.crash).toMatchObject({ hit: points, points, counted: points })
    expect(triedIn(families.crash)).toBeGreaterThan(2 * points)
  })

  test(
    'reports every error of the disk at every write, and completes when it has gone',
    { timeout },
    async () => {
      const { findings, families } = await swept(workflow, 'disk', { tier: 'deep' })
      expect(findings).toEqual([])
      const points = await writesOf(workflow)
      expect(families.disk).toMatchObject({ hit: points, points, counted: points })
      expect(triedIn(families.disk)).toBeGreaterThan(12 * points)
    },
  )
}

async function swept(
  workflow: WorkflowSource,
  family: 'crash' | 'disk',
  options: SweepOptions = {},
): ReturnType<typeof sweepFaults> {
  const project = await createProject({ storage: 'memory' })
  return sweepFaults(workflow, { project, agents, families: [family], ...options })
}

/** How many operations of an undisturbed run change the disk, counted apart from the sweep. */
async function writesOf(workflow: WorkflowSource): Promise<number> {
  const inner = createReferenceDriver()
  let writes = 0
  const counting = (files: FilesPort): FilesPort => ({
    perform(operation) {
      if (!['read', 'list', 'stat', 'close'].includes(operation.op)) writes++
      return files.perform(operation)
    },
  })
  const driver: WorkflowDriver = {
    ...inner,
    incarnate: (ports) => inner.incarnate({ ...ports, files: counting(ports.files) }),
  }
  const project = await createProject({ storage: 'memory' })
  const session = await runWorkflowStepByStep(workflow, { project, agents, driver })
  await session.runToEnd()
  await session.close()
  return writes
}

/** What was run, and what came to the same as something that was. */
function triedIn(family: FamilyCoverage | undefined): number {
  return (family?.scenarios ?? 0) + (family?.deduped ?? 0)
}
