import { createDigest } from '../adapters/node/index.ts'
import { covers, FaultlineError } from '../core/index.ts'
import type { WorkflowDefinition } from '../definition/index.ts'
import type { Project } from '../harness/index.ts'
import type { RunReader } from '../ports/index.ts'

/**
 * Refuses to let a run replace files that no run has produced, or that somebody has changed since.
 *
 * @throws FaultlineError `FILE_WOULD_BE_OVERWRITTEN` naming them.
 */
export async function assertNothingForeignInTheWay(
  project: Project,
  definition: WorkflowDefinition,
  reader: RunReader,
): Promise<void> {
  const declared = definition.steps.flatMap(({ creates }) => creates)
  const present = (await project.list()).filter((path) => declared.some((one) => covers(one, path)))
  if (present.length === 0) return
  const produced = await producedDigests(reader)
  const digest = createDigest()
  const foreign: string[] = []
  for (const path of present) {
    if (produced.get(path)?.has(digest.sha256(await project.read(path))) !== true) foreign.push(path)
  }
  if (foreign.length === 0) return
  const shown = foreign.slice(0, 5).map((path) => `'${path}'`)
  throw new FaultlineError(
    'FILE_WOULD_BE_OVERWRITTEN',
    `The workflow would replace ${shown.join(', ')}${foreign.length > 5 ? ` and ${foreign.length - 5} more` : ''}, which no run of it has ` +
      `produced as ${foreign.length === 1 ? 'it is' : 'they are'} now. Move ${foreign.length === 1 ? 'it' : 'them'} away, or use --force.`,
    { details: { paths: foreign } },
  )
}

async function producedDigests(reader: RunReader): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const produced = new Map<string, Set<string>>()
  for (const runId of await reader.list()) {
    for (const event of (await reader.read(runId)).events) {
      if (event.kind !== 'artifacts_prepared') continue
      for (const { path, sha256 } of event.artifacts) {
        const digests = produced.get(path) ?? new Set()
        produced.set(path, digests.add(sha256))
      }
    }
  }
  return produced
}
