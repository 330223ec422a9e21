import { createDigest, createNodeFiles } from '../../adapters/node/index.ts'
import { decodeUtf8, FaultlineError, isJsonObject } from '../../core/index.ts'
import type { Finding, FaultSequence } from './report.ts'

/** Version of the format of a plan on disk. */
const corpusVersion = 1

/** A plan that once broke something, as a file of the corpus has it. */
export interface CorpusPlan {
  readonly version: typeof corpusVersion
  readonly workflowId: string
  readonly faults: FaultSequence
  /** What it broke when it was found. */
  readonly invariants: readonly string[]
}

/**
 * The plans of a workflow that a folder holds, sorted by file name.
 *
 * @throws FaultlineError `CONFIGURATION_INVALID` naming a file that is no plan.
 */
export async function readCorpus(folder: string, workflowId: string): Promise<readonly CorpusPlan[]> {
  const files = createNodeFiles(folder)
  const plans: CorpusPlan[] = []
  for (const { name } of (await files.perform({ op: 'list', path: '' })) ?? []) {
    if (!name.endsWith('.json')) continue
    const bytes = await files.perform({ op: 'read', path: name })
    const plan = bytes === undefined ? undefined : parsePlan(decodeUtf8(bytes))
    if (plan === undefined) {
      throw new FaultlineError(
        'CONFIGURATION_INVALID',
        `'${name}' in the corpus '${folder}' is no plan of version ${corpusVersion}. Remove it, or have the sweep write it anew.`,
        { details: { path: name } },
      )
    }
    if (plan.workflowId === workflowId) plans.push(plan)
  }
  return plans
}

/** Saves the smallest plan of each finding under a name that its content determines: what is known already stays one file. */
export async function addToCorpus(
  folder: string,
  workflowId: string,
  findings: readonly Finding[],
): Promise<void> {
  const files = createNodeFiles(folder)
  const { sha256 } = createDigest()
  for (const { faults, violations, minimised } of findings) {
    const invariants = minimised?.invariants ?? [...new Set(violations.map(({ invariant }) => invariant))]
    const plan: CorpusPlan = {
      version: corpusVersion,
      workflowId,
      faults: minimised?.inWhole ?? faults,
      invariants,
    }
    const name = `${workflowId}-${sha256(JSON.stringify(plan.faults)).slice(0, 12)}.json`
    await files.perform({ op: 'write', path: name, data: `${JSON.stringify(plan, null, 2)}\n` })
  }
  await files.closeAll()
}

function parsePlan(text: string): CorpusPlan | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isJsonObject(value) || value['version'] !== corpusVersion || !Array.isArray(value['faults']))
    return undefined
  return value as unknown as CorpusPlan
}
