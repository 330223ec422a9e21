import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineWorkflow } from '../../src/engine/index.ts'
import { createProject, faultWords, sweepFaults } from '../../src/harness/index.ts'
import type {
  FaultSequence,
  Finding,
  SingleFault,
  SweepOptions,
  SweepReport,
} from '../../src/harness/index.ts'
import type { Canary } from './canaries.ts'
import { patchedDriver } from './patched-engine.ts'
import { agents, programs } from './workflows.ts'

/** How a sweep found a canary first. */
export interface FoundCanary {
  readonly finding: Finding
  /** How many scenarios it took, this one included. */
  readonly scenarios: number
  /** What the smallest plan broke when it was read from its file and run again. */
  readonly brokenAgain: readonly string[]
}

/** The first finding of the full tier, with every family of faults; undefined when there is none. */
export async function foundBySweep({ name, workflow }: Canary): Promise<FoundCanary | undefined> {
  const corpus = await mkdtemp(join(tmpdir(), 'faultline-canary-'))
  try {
    const options = { driver: await patchedDriver(name), stopAt: 'first-finding', corpus } as const
    const { findings, families } = await swept(workflow, options)
    const [finding] = findings
    if (finding === undefined) return undefined
    const again = await swept(workflow, { ...options, minimise: false })
    return {
      finding,
      scenarios: Object.values(families).reduce((sum, family) => sum + family.scenarios, 0),
      brokenAgain: again.corpus?.failing === 1 ? invariantsOf(again.findings[0]) : [],
    }
  } finally {
    await rm(corpus, { recursive: true })
  }
}

export async function swept(workflow: Canary['workflow'], options: SweepOptions): Promise<SweepReport> {
  const project = await createProject({ storage: 'memory' })
  const source = 'nodes' in workflow ? defineWorkflow(workflow) : defineWorkflow(workflow)
  return sweepFaults(source, { project, agents, programs, ...options })
}

function invariantsOf(finding: Finding | undefined): readonly string[] {
  return [...new Set(finding?.violations.map(({ invariant }) => invariant))]
}

export function planWords([first, second]: FaultSequence): string {
  const words = first === undefined ? '' : wordsOf(first)
  return second === undefined ? words : `${words}, then ${faultWords(second)} in the recovery`
}

/** How a process dies and how a write fails goes without a verb. */
function wordsOf(fault: SingleFault): string {
  const words = faultWords(fault).replace(' injected by the sweep', '')
  return fault.family === 'crash' || fault.family === 'disk' ? `${fault.family} ${words}` : words
}
