import type { WorkflowDefinition } from '../../definition/index.ts'
import { determinism } from '../invariants/index.ts'
import { addToCorpus, readCorpus } from './corpus.ts'
import { sweepCrashes } from './crash-family.ts'
import { sweepDiskErrors } from './disk-family.ts'
import { sweepLifecycle } from './lifecycle-family.ts'
import { sweepAgents, sweepGates, sweepNetwork, sweepTime } from './port-families.ts'
import { sweepSchedules } from './schedule-family.ts'
import { minimise } from './minimise.ts'
import type { Minimiser } from './minimise.ts'
import type { Finding, SweepReport } from './report.ts'
import { sweepSwarm } from './swarm.ts'
import { Sweep } from './sweep.ts'
import type { SingleFaultOptions, SweptFamily } from './sweep.ts'
import type { SweptWorkflow } from './swept-workflow.ts'

const sweptFamilies: readonly SweptFamily[] = [
  { family: 'agent', tryAll: sweepAgents },
  { family: 'gate', tryAll: sweepGates },
  { family: 'time', tryAll: sweepTime },
  { family: 'network', tryAll: sweepNetwork },
  { family: 'crash', tryAll: sweepCrashes },
  { family: 'disk', tryAll: sweepDiskErrors },
  { family: 'lifecycle', tryAll: sweepLifecycle },
  { family: 'schedule', tryAll: sweepSchedules },
]

/**
 * Runs a workflow without faults, then once for every single fault of the families at every point where it can strike, and
 * judges each run by the invariants. The point of a crash is reached by forking the disk there, so only what follows is run.
 *
 * @throws FaultlineError `NOT_DETERMINISTIC` when two runs without faults differ.
 */
export async function tryEveryFault(
  workflow: SweptWorkflow,
  initialFiles: Readonly<Record<string, Uint8Array>>,
  options: SingleFaultOptions = {},
): Promise<SweepReport> {
  const { families = sweptFamilies.map(({ family }) => family), corpus } = options
  const wanted = families.flatMap((name) => sweptFamilies.filter(({ family }) => family === name))
  const { id } = workflow.definition
  const plans = corpus === undefined ? [] : await readCorpus(corpus, id)
  // Chance cannot be shared out.
  const swarms = options.tier === 'deep' && (options.shard?.index ?? 1) === 1
  const report = await new Sweep(workflow, initialFiles, options).run(
    wanted,
    plans,
    swarms ? (sweep) => sweepSwarm(sweep, families) : undefined,
  )
  const findings =
    options.minimise === false
      ? report.findings
      : await minimised(report.findings, minimiserOf(workflow, initialFiles, options))
  if (corpus !== undefined) await addToCorpus(corpus, id, findings.filter(isOfItsFaults))
  return { ...report, findings }
}

/** Whether it comes of what struck, and not of an agent that was seen to do otherwise meanwhile. */
function isOfItsFaults({ violations }: Finding): boolean {
  return violations.some(({ invariant }) => invariant !== determinism.name)
}

/** So many findings that break different things are made small; the others are as they were found. */
const mostMinimised = 3

async function minimised(findings: readonly Finding[], minimiser: Minimiser): Promise<readonly Finding[]> {
  const done = new Set<string>()
  const all: Finding[] = []
  for (const finding of findings) {
    const broken = finding.violations.map(({ invariant }) => invariant).join()
    const isNew = isOfItsFaults(finding) && !done.has(broken) && done.size < mostMinimised
    if (isOfItsFaults(finding)) done.add(broken)
    const plan = isNew ? await minimise(finding, minimiser) : undefined
    all.push(plan === undefined ? finding : { ...finding, minimised: plan })
  }
  return all
}

function minimiserOf(
  workflow: SweptWorkflow,
  initialFiles: Readonly<Record<string, Uint8Array>>,
  options: SingleFaultOptions,
): Minimiser {
  const sweeps = new Map<WorkflowDefinition, Sweep>()
  const withEveryCall: SingleFaultOptions = { ...options, rememberAgents: false }
  const sweepOf = async (definition: WorkflowDefinition): Promise<Sweep> => {
    const sweep =
      sweeps.get(definition) ?? new Sweep({ ...workflow, definition }, initialFiles, withEveryCall)
    if (!sweeps.has(definition)) await sweep.discover()
    sweeps.set(definition, sweep)
    return sweep
  }
  return {
    definition: workflow.definition,
    async broken(definition, faults) {
      const violations = await (await sweepOf(definition)).violationsOf(faults)
      return violations && new Set(violations.map(({ invariant }) => invariant))
    },
    async search(definition, like, invariants) {
      const { findings } = await tryEveryFault({ ...workflow, definition }, initialFiles, {
        ...(options.tier === undefined ? {} : { tier: options.tier }),
        ...(options.outcomes === undefined ? {} : { outcomes: options.outcomes }),
        invariants: (options.invariants ?? []).filter(({ name }) => invariants.has(name)),
        // What strikes after it is tried by the family of the first.
        families: like.slice(0, 1).map(({ family }) => family),
        recoveryCrashes: like.length > 1,
        stopAt: 'first-finding',
        minimise: false,
      })
      return findings.find(({ violations }) => violations.some(({ invariant }) => invariants.has(invariant)))
        ?.faults
    },
  }
}
