import { defineWorkflow } from '../../src/engine/index.ts'
import { createProject, faultWords, sweepFaults } from '../../src/harness/index.ts'
import type { FaultSequence, SweepOptions, SweepReport } from '../../src/harness/index.ts'
import type { Canary } from './canaries.ts'
import { patchedDriver } from './patched-engine.ts'
import { agents, programs } from './workflows.ts'

/** How the sweep found a canary first. */
export interface FirstFinding {
  readonly fault: string
  readonly invariants: readonly string[]
  /** How many scenarios it took, this one included. */
  readonly scenarios: number
}

/** Single faults first, then crashes with a second one in the recovery. Undefined when neither has a finding. */
export async function firstFinding({
  name,
  workflow,
  family = 'crash',
}: Canary): Promise<FirstFinding | undefined> {
  const driver = await patchedDriver(name)
  let scenarios = 0
  for (const recoveryCrashes of [false, true]) {
    const options = {
      driver,
      families: [family],
      recoveryCrashes,
      stopAt: 'first-finding',
      minimise: false,
    } as const
    const { findings, families } = await swept(workflow, options)
    scenarios += families[family]?.scenarios ?? 0
    const [finding] = findings
    if (finding === undefined) continue
    const invariants = [...new Set(finding.violations.map(({ invariant }) => invariant))]
    return { fault: planWords(finding.faults), invariants, scenarios }
  }
  return undefined
}

export async function swept(workflow: Canary['workflow'], options: SweepOptions): Promise<SweepReport> {
  const project = await createProject({ storage: 'memory' })
  const source = 'nodes' in workflow ? defineWorkflow(workflow) : defineWorkflow(workflow)
  return sweepFaults(source, { project, agents, programs, ...options })
}

function planWords([first, second]: FaultSequence): string {
  const words = first === undefined ? '' : faultWords(first)
  return second === undefined ? words : `${words}, then ${faultWords(second)} in the recovery`
}
