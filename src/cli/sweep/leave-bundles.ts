import {
  checkedOutCommit,
  createDigest,
  createNodeFiles,
  processVersions,
} from '../../adapters/node/index.ts'
import {
  bundleFolderName,
  createRedactor,
  readBundle,
  renderSummary,
  writeBundle,
} from '../../bundle/index.ts'
import { joinPath } from '../../core/index.ts'
import type { JsonObject } from '../../core/index.ts'
import { faultsInWords, sweptFindingsOf } from '../../harness/index.ts'
import type { Project, SingleFault, SweepOperator, SweptFinding } from '../../harness/index.ts'
import { bundlesFolder } from '../bundles-folder.ts'

/** How a sweep was asked for. */
export interface SweepRequest {
  readonly workflowFile: string
  readonly agents: string | undefined
  readonly mock: boolean
  readonly operator: SweepOperator | undefined
}

/** So many findings leave a bundle; the report has all of them. */
const mostBundles = 3

/** Leaves a bundle for each of the first findings of a sweep that was of this project, and answers what to print of them. */
export async function leaveSweepBundles(project: Project, request: SweepRequest): Promise<readonly string[]> {
  const blocks: string[] = []
  for (const swept of sweptFindingsOf(project).slice(0, mostBundles)) {
    blocks.push(...(await leaveBundle(swept, request)))
  }
  return blocks
}

async function leaveBundle(
  { finding, record }: SweptFinding,
  { workflowFile, agents, mock, operator }: SweepRequest,
): Promise<readonly string[]> {
  const recorded = await record()
  if (recorded?.recording === undefined) return []
  const { faults, violations } = finding
  const digest = createDigest()
  const files = createNodeFiles(process.cwd())
  const folder = joinPath(
    bundlesFolder,
    `sweep-${recorded.recording.runId}`,
    bundleFolderName({ slugSource: workflowFile, hashSource: JSON.stringify(faults), attempt: 1 }, digest),
  )
  await writeBundle(
    {
      kind: 'run',
      reason: 'invariant',
      run: {
        workflowFile,
        arguments: [workflowFile],
        sweep: {
          faults: faults.map(plain),
          invariants: [...new Set(violations.map(({ invariant }) => invariant))],
          agents: agents ?? null,
          mock,
          operator: operator === undefined ? null : plain(operator),
        },
      },
      errors: recorded.violations.map(({ invariant, sentence }) => ({
        name: invariant,
        message: sentence,
        stack: null,
      })),
      sessions: [recorded.recording],
      notes: [`What struck: ${faultsInWords(faults)}`],
      versions: { ...processVersions(null), commit: checkedOutCommit(process.cwd()) },
      replay: { command: `npx faultline replay ${folder}`, env: null },
    },
    {
      files,
      folder,
      digest,
      redact: createRedactor({ environment: process.env, roots: { '<project>': process.cwd() } }),
    },
  )
  const block = renderSummary(await readBundle(files, folder))
  await files.closeAll()
  return [block]
}

function plain(value: SingleFault | SweepOperator): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject
}
