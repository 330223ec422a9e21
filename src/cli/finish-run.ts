import { checkedOutCommit, createDigest, createNodeFiles, processVersions } from '../adapters/node/index.ts'
import { bundleFolderName, createRedactor, renderSummary, writeBundle, readBundle } from '../bundle/index.ts'
import { joinPath } from '../core/index.ts'
import type { RunOutcome, WorkflowSession } from '../harness/index.ts'
import { bundlesFolder } from './bundles-folder.ts'
import { emphasis, print } from './output.ts'
import { exitCodes } from './exit-codes.ts'
import { statusWords } from './render.ts'
import { nextLine, resumeLine } from './state-directory.ts'

/** How a run was asked for, for its bundle. */
export interface RunRequest {
  readonly workflowFile: string | null
  readonly arguments: readonly string[]
}

/** Says how a run ended; a run that failed leaves a bundle and the commands to go on with. */
export async function finishRun(
  session: WorkflowSession,
  outcome: RunOutcome,
  request: RunRequest,
): Promise<number> {
  if (outcome.status === 'completed') {
    const line = `${statusWords('completed', outcome)}  ${session.runId}`
    print(outcome.hasFailures === true ? emphasis.bad(line) : emphasis.good(line))
    return outcome.hasFailures === true ? exitCodes.failed : exitCodes.good
  }
  if (outcome.status === 'paused' || outcome.status === 'waiting') {
    print(emphasis.bad(`${outcome.status}  ${session.runId}`))
    print(`next  ${nextLine(session.state(), outcome.status)}`)
    return exitCodes.failed
  }
  print(emphasis.bad(`${outcome.status}  ${session.runId}`))
  if (outcome.status === 'failed') await leaveBundle(session, outcome, request)
  return exitCodes.failed
}

async function leaveBundle(
  session: WorkflowSession,
  outcome: RunOutcome,
  request: RunRequest,
): Promise<void> {
  const digest = createDigest()
  const files = createNodeFiles(process.cwd())
  const name = request.workflowFile ?? session.state().workflowId
  const folder = joinPath(
    bundlesFolder,
    session.runId,
    bundleFolderName({ slugSource: name, hashSource: name, attempt: livesOf(session) }, digest),
  )
  await writeBundle(
    {
      kind: 'run',
      reason: 'run-failed',
      run: request,
      errors: [
        {
          name: outcome.error?.name ?? 'Error',
          message: outcome.error?.message ?? 'the run failed',
          stack: null,
        },
      ],
      sessions: [await session.recording()],
      versions: { ...processVersions(null), commit: checkedOutCommit(process.cwd()) },
      replay: {
        // What an earlier process of the run did was another bundle's, with the faults of that process.
        command: `npx faultline replay ${folder}${session.snapshots.beforeResume.length === 0 ? '' : ' --from before-resume-1'}`,
        env: null,
      },
    },
    {
      files,
      folder,
      digest,
      redact: createRedactor({ environment: process.env, roots: { '<project>': process.cwd() } }),
    },
  )
  print('')
  print(renderSummary(await readBundle(files, folder)))
  print('')
  print(`resume  ${resumeLine(session.state())}`)
  await files.closeAll()
}

/** Of the run, not of this process: a resume that fails as well must not replace what the first failure left. */
function livesOf(session: WorkflowSession): number {
  return 1 + session.events().filter(({ kind }) => kind === 'workflow_resume').length
}
