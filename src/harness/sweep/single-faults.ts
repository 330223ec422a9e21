import { sweepCrashes } from './crash-family.ts'
import { sweepDiskErrors } from './disk-family.ts'
import { sweepLifecycle } from './lifecycle-family.ts'
import { sweepAgents, sweepGates, sweepTime } from './port-families.ts'
import { sweepSchedules } from './schedule-family.ts'
import type { SweepReport } from './report.ts'
import { Sweep } from './sweep.ts'
import type { SingleFaultOptions, SweptFamily } from './sweep.ts'
import type { SweptWorkflow } from './swept-life.ts'

const sweptFamilies: readonly SweptFamily[] = [
  { family: 'agent', tryAll: sweepAgents },
  { family: 'gate', tryAll: sweepGates },
  { family: 'time', tryAll: sweepTime },
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
  const { families = sweptFamilies.map(({ family }) => family) } = options
  const wanted = families.flatMap((name) => sweptFamilies.filter(({ family }) => family === name))
  return new Sweep(workflow, initialFiles, options).run(wanted)
}
