import { createCompression } from '../../adapters/node/index.ts'
import { createInventedOwner } from '../../adapters/virtual/index.ts'
import { isFaultlineError } from '../../core/index.ts'
import type { Fault, FaultPlan } from '../../definition/index.ts'
import { faultPlan } from '../../fault-injection/index.ts'
import type { SessionRecording } from '../../trace/index.ts'
import type { Invariant } from '../invariants/index.ts'
import { remainsIn } from '../run-remains.ts'
import { isOfNoPlan } from './misbehaviours.ts'
import type { FaultSequence, RecordedFinding } from './report.ts'
import { Sweep } from './sweep.ts'
import type { SweptWorkflow } from './swept-workflow.ts'
import type { SweptWorld } from './swept-world.ts'

/** Runs a workflow with given faults once more, to its end; undefined when they do not strike. */
export async function recordFinding(
  workflow: SweptWorkflow,
  initialFiles: Readonly<Record<string, Uint8Array>>,
  faults: FaultSequence,
  invariants: readonly Invariant[] = [],
): Promise<RecordedFinding | undefined> {
  const sweep = new Sweep(workflow, initialFiles, { invariants })
  await sweep.discover()
  const run = await sweep.runOf(faults)
  if (run === undefined) return undefined
  const { violations, ended } = run
  return { violations, recording: await recordingOf(workflow, ended.world, planOf(faults)) }
}

async function recordingOf(
  { driver, digest }: SweptWorkflow,
  { disk, runId }: SweptWorld,
  plan: FaultPlan,
): Promise<SessionRecording | undefined> {
  if (runId === undefined) return undefined
  const files = disk.fork()
  const owner = createInventedOwner('reader')
  const reader = driver.reader({ files, digest, compression: createCompression(), owner, directories: {} })
  try {
    const remains = await remainsIn(files, reader, runId, null)
    const { events } = await reader.read(runId)
    const [start] = events
    if (remains === undefined || start?.kind !== 'workflow_start') return undefined
    const { definition, input, launch, seed, correlationId } = start
    return {
      runId,
      correlationId,
      seed,
      clock: 'virtual',
      disk: 'simulated',
      definition,
      input,
      launch,
      events,
      logs: [],
      plan,
      resolvedPlan: plan,
      earlierArtifacts: [],
      crashes: [],
      ...remains,
    }
  } catch (error) {
    // A run that is damaged is what some findings are about.
    if (!isFaultlineError(error)) throw error
    return undefined
  }
}

/** Those of the faults that a plan has a form for. */
function planOf(faults: FaultSequence): FaultPlan {
  return faultPlan(
    faults.flatMap((each): readonly Fault[] => {
      if (!('fault' in each) || typeof each.fault !== 'string' || isOfNoPlan(each.fault)) return []
      const { fault, at, params } = each
      return [{ fault, at, ...(params === undefined ? {} : { params }) }]
    }),
  )
}
