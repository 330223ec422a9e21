import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { workflowFromText } from '../../../src/engine/index.ts'
import type { FileTree } from '../../../src/harness/invariants/index.ts'
import { FileOperationNames } from '../../../src/harness/sweep/fault-points.ts'
import { isWriteLike } from '../../../src/ports/index.ts'
import { liveOn } from '../../../src/harness/sweep/swept-life.ts'
import type { SweptWorkflow } from '../../../src/harness/sweep/swept-workflow.ts'
import { freshWorld } from '../../../src/harness/sweep/swept-world.ts'
import type { Agents, FileOperation } from '../../../src/ports/index.ts'
import { sweptSource } from '../../support/swept-workflow.ts'
import type { Said } from './mortal.ts'

/** What a kill before an operation leaves, by the name that a sweep gives the operation. */
export type Left = ReadonlyMap<string, Readonly<Record<string, unknown>>>

export async function sweptWorkflow(workflow: string): Promise<SweptWorkflow> {
  const agents = new URL('faultline.agents.mjs', import.meta.url).href
  const module = (await import(agents)) as { readonly agents: Agents }
  return sweptSource(workflowFromText(workflow, 'flow.yaml'), module.agents)
}

/** Every kill of a run on the simulated disk. */
export async function simulatedKills(workflow: string): Promise<Left> {
  const kills = new Map<string, FileTree>()
  const { world } = await liveOn(await sweptWorkflow(workflow), freshWorld(createVirtualFiles(), 0), {
    onWrite: ({ name }, world) => kills.set(name, world().disk.afterCrash('kill').snapshotFiles()),
  })
  const { runId = '' } = world
  return new Map([...kills].map(([name, files]) => [withoutRunId(name, runId), outline(files, runId)]))
}

/** The name that a sweep gives each operation that a process has said to be about to do, if it is one of those it tries. */
export function pointNames(said: readonly Said[], runId: string): readonly (string | undefined)[] {
  const names = new FileOperationNames(1)
  return said.flatMap((line) => {
    if (!('op' in line)) return []
    const operation = line as Said & FileOperation
    return [isWriteLike(operation) ? withoutRunId(names.nameOf(operation), runId) : undefined]
  })
}

/** What files a run has left and how far each goes, without names, times and digests that differ between equal runs. */
export function outline(files: FileTree, runId: string): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    [...files].map(([path, bytes]) => {
      const text = new TextDecoder().decode(bytes)
      const name = withoutRunId(path, runId)
      if (path.endsWith('.jsonl')) return [name, text.split('\n').map(eventWords)]
      if (/\.json(\.tmp)?$/.test(path)) return [name, members(text, ['seq', 'saveSeq', 'status'])]
      return [name, path.endsWith('/lock') ? members(text, []) : text]
    }),
  )
}

function eventWords(line: string): unknown {
  return line === '' ? '' : members(line.slice(9), ['seq', 'durableSeq', 'kind', 'step', 'attempt'])
}

function members(json: string, names: readonly string[]): readonly unknown[] {
  const value = JSON.parse(json) as Readonly<Record<string, unknown>>
  return names.map((name) => value[name])
}

function withoutRunId(text: string, runId: string): string {
  return text.replaceAll(runId, '<run>')
}
