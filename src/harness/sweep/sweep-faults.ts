import { createDigest } from '../../adapters/node/index.ts'
import { defaultSeed } from '../../core/index.ts'
import { createReferenceDriver } from '../../engine/index.ts'
import type { LoadedWorkflow } from '../../engine/index.ts'
import { KnownFiles } from '../../trace/index.ts'
import type { Project, WorkflowInput, WorkflowSessionOptions } from '../contract.ts'
import { createOutside } from '../outside.ts'
import { agentPort, checkParts, filesOfProject } from '../prepare-session.ts'
import { registerFindings } from '../project.ts'
import { defaultRealWaitMs, loadFor, projectFor } from '../run-workflow.ts'
import { recordFinding } from './record-finding.ts'
import type { FaultSequence, RecordedFinding, SweepReport } from './report.ts'
import { tryEveryFault } from './single-faults.ts'
import type { SingleFaultOptions } from './sweep.ts'
import type { SweepOperator, SweptWorkflow } from './swept-workflow.ts'

export interface SweepOptions
  extends
    Pick<
      WorkflowSessionOptions,
      'project' | 'agents' | 'gates' | 'input' | 'seed' | 'driver' | 'http' | 'programs'
    >,
    SingleFaultOptions {
  /** What people do for a run that waits for an answer, or for input. Default nothing: such a run does not complete. */
  readonly operator?: SweepOperator
}

/**
 * Tries every single fault at every point of a workflow at which it can strike, on a simulated disk: crashes with all that
 * they can leave on it, also in the recovery from a crash, and every error of a file operation. After each the run is resumed
 * without faults, and judged by the invariants. The project's files are loaded as they stand; nothing is written to it.
 *
 * @example
 * const { findings, families } = await sweepFaults('workflows/release.yaml', { project, agents })
 * @throws FaultlineError `SWEEP_IMPOSSIBLE` when the workflow does not complete without faults, `NOT_DETERMINISTIC` when two
 * runs without faults differ; and all that `runWorkflowStepByStep` throws before the first step.
 */
export async function sweepFaults(workflow: WorkflowInput, options: SweepOptions = {}): Promise<SweepReport> {
  const project = await projectFor(options)
  const swept = await sweptWorkflow(await loadFor(workflow, project), project, options)
  const files = await filesOfProject(project)
  const report = await tryEveryFault(swept, files, options)
  registerFindings(
    project,
    report.findings.map((finding) => ({
      finding,
      record: () => recordFinding(swept, files, finding.faults, options.invariants),
    })),
  )
  return report
}

/**
 * Runs a workflow once with the faults of a finding, as the sweep had done; undefined when they do not strike any more.
 */
export async function runFinding(
  loaded: LoadedWorkflow,
  faults: FaultSequence,
  options: SweepOptions = {},
): Promise<RecordedFinding | undefined> {
  const project = await projectFor(options)
  const swept = await sweptWorkflow(loaded, project, options)
  return recordFinding(swept, await filesOfProject(project), faults, options.invariants)
}

async function sweptWorkflow(
  loaded: LoadedWorkflow,
  project: Project,
  options: SweepOptions,
): Promise<SweptWorkflow> {
  const agents = agentPort(options.agents)
  const gates = options.gates ?? {}
  await checkParts({ loaded, agents, gates, project })
  return {
    definition: loaded.definition,
    agents,
    gates,
    input: options.input ?? null,
    seed: options.seed ?? project.seed ?? defaultSeed,
    driver: options.driver ?? createReferenceDriver(),
    digest: createDigest(),
    realWaitMs: defaultRealWaitMs,
    outside: createOutside(options, undefined),
    ...(options.operator === undefined ? {} : { operator: options.operator }),
    ...(project.folder === undefined ? {} : { folder: project.folder }),
    knownFiles: new KnownFiles(),
  }
}
