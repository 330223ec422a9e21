import { createDigest } from '../adapters/node/index.ts'
import { containedPath, FaultlineError } from '../core/index.ts'
import {
  artifactAdvice,
  findArtifactProblems,
  type ArtifactProblem,
  type DiskFile,
} from './artifact-problems.ts'
import type { ExpectedArtifact, ExpectedArtifacts, Project, WorkflowSession } from './contract.ts'
import { filesGivenTo } from './project.ts'

export interface AssertWorkflowArtifactsOptions {
  /** Whether an artifact of the run that is not listed is a problem. Default false. */
  readonly exact?: boolean
}

/**
 * Judges the artifacts of a run from what is on disk and from the run's own record: those expected, and besides them every
 * artifact that the run recorded. Finds what is missing, empty, misplaced, from another producer or from before the run,
 * of wrong content, changed since, doubled or unexpected.
 *
 * @example
 * await assertWorkflowArtifacts(session, {
 *   'dist/app.js': { producedBy: 'build' },
 *   'reports/tests.json': { json: { cases: 4, failed: 0 } },
 *   'docs/api/': { producedBy: 'document' },
 * })
 * @throws FaultlineError `ARTIFACTS_WRONG` listing every problem.
 */
export async function assertWorkflowArtifacts(
  session: Pick<WorkflowSession, 'runId' | 'project' | 'state' | 'events'>,
  expected: ExpectedArtifacts,
  options: AssertWorkflowArtifactsOptions = {},
): Promise<void> {
  const state = session.state()
  const problems = findArtifactProblems({
    state,
    events: session.events(),
    disk: await readDisk(session.project),
    given: filesGivenTo(session.project),
    expected: checkExpected(expected),
    exact: options.exact ?? false,
  })
  if (problems.length === 0) return
  const found = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  const run = `run '${session.runId}' (workflow '${state.workflowId}', ${state.status})`
  throw new FaultlineError(
    'ARTIFACTS_WRONG',
    [
      `The artifacts of ${run} are not as expected: ${found}.`,
      ...problems.map(formatProblem),
      'What to do:',
      ...[...new Set(problems.map(({ kind }) => kind))].map((kind) => `  ${kind}: ${artifactAdvice[kind]}`),
    ].join('\n'),
    { details: { runId: session.runId, problems } },
  )
}

/** Normal form of the expected paths; a trailing slash, which names a folder, stays. */
function checkExpected(expected: ExpectedArtifacts): ExpectedArtifacts {
  const entries = Object.entries(expected).map(([path, artifact]): [string, ExpectedArtifact] => {
    const contained = containedPath(path, 'expected artifact')
    if (!path.endsWith('/')) return [contained, artifact]
    if (artifact.sha256 !== undefined || artifact.text !== undefined || artifact.json !== undefined) {
      throw new FaultlineError(
        'CONFIGURATION_INVALID',
        `The expected artifact '${path}' is a folder and has no content of its own: expect text, json or sha256 of the files in it.`,
        { details: { path } },
      )
    }
    return [`${contained}/`, artifact]
  })
  return Object.fromEntries(entries)
}

async function readDisk(project: Project): Promise<ReadonlyMap<string, DiskFile>> {
  const digest = createDigest()
  const disk = new Map<string, DiskFile>()
  for (const path of await project.list()) {
    const bytes = await project.read(path)
    disk.set(path, { bytes, sha256: digest.sha256(bytes) })
  }
  return disk
}

function formatProblem({ kind, message, excerpt = [] }: ArtifactProblem): string {
  return [`  ${kind}: ${message}`, ...excerpt.map((line) => `      ${line}`)].join('\n')
}
