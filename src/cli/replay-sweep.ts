import type { Bundle, BundleSweep } from '../bundle/index.ts'
import { runFinding } from '../harness/index.ts'
import type { FaultSequence } from '../harness/index.ts'
import { chooseAgents, loadAgents } from './agents-module.ts'
import { asLoaded, bundledForm, recordedRun } from './replay-run.ts'
import type { ReplayOptions } from './replay-run.ts'
import { firstLine } from './replay-verdict.ts'
import type { Replayed } from './replay-verdict.ts'
import { copyOfProject } from './sweep/project-copy.ts'

/** Lets the faults of a finding strike the recorded workflow again, on a simulated disk with the project's files as they are now. */
export async function replaySweep(
  bundle: Bundle,
  sweep: BundleSweep,
  projectFolder: string,
  options: ReplayOptions,
): Promise<Replayed> {
  const { start } = recordedRun(bundle)
  const chosen = options.mock === undefined && options.agents === undefined
  const choice = chosen
    ? { mock: sweep.mock, ...(sweep.agents === null ? {} : { agents: sweep.agents }) }
    : options
  const agents = await loadAgents(projectFolder, chooseAgents(projectFolder, choice, start.definition))
  const again = await runFinding(asLoaded(start.definition), sweep.faults as unknown as FaultSequence, {
    project: await copyOfProject(projectFolder),
    input: bundle.input,
    seed: start.seed,
    ...(sweep.operator === null ? {} : { operator: sweep.operator }),
    ...(agents === undefined ? {} : { agents }),
  })
  if (again?.recording === undefined) {
    const places = (sweep.faults as unknown as FaultSequence).map(({ at }) => at).join(' and ')
    const strayed =
      `diverged before the faults: the run no longer comes to ${places}; ` +
      `sweep again to see where they strike now`
    return { sessions: [], error: undefined, what: strayed, strayed }
  }
  const events = bundledForm(bundle, projectFolder)(again.recording.events)
  events.forEach(options.onEvent)
  const error = again.violations[0]?.sentence
  return { sessions: [{ events }], error, what: firstLine(error ?? 'the run keeps every invariant') }
}
