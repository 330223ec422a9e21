import { defineWorkflow } from '../../../../src/engine/index.ts'
import type { AgentWorkflow } from '../../../../src/engine/index.ts'
import { createProject, defineInvariant, sweepFaults } from '../../../../src/harness/index.ts'
import type { Evidence, SweepOptions, SweepReport } from '../../../../src/harness/index.ts'

/** A sweep, with all that it has judged runs by. */
export async function judged(
  workflow: AgentWorkflow,
  options: SweepOptions,
): Promise<SweepReport & { readonly evidences: readonly Evidence[] }> {
  const evidences: Evidence[] = []
  const witness = defineInvariant({
    name: 'witness',
    title: 'every run is seen',
    check: ({ evidence }) => void evidences.push(evidence),
  })
  const report = await sweepFaults(defineWorkflow(workflow), {
    project: await createProject({ storage: 'memory' }),
    minimise: false,
    ...options,
    invariants: [witness],
  })
  return { ...report, evidences }
}
