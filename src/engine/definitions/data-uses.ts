import type { StepDefinition } from '../../definition/index.ts'
import type { Reporter } from './reporter.ts'
import type { SourcePath } from './source-tree.ts'
import type { StepEdge } from './step-edges.ts'
import { checkAcyclic } from './step-order.ts'

/** A place that speaks of what a step came to. */
export interface DataUse {
  /** The step that is spoken of. */
  readonly of: string
  /** The step that must not start before. */
  readonly by: string
  readonly place: SourcePath
}

/**
 * What is spoken of has to be there: every step that is spoken of comes before the one that needs it, and no two wait for
 * what the other puts out.
 */
export function checkDataUses(
  uses: readonly DataUse[],
  steps: readonly StepDefinition[],
  edges: readonly StepEdge[],
  order: readonly number[],
  reporter: Reporter,
): void {
  if (uses.length === 0) return
  const indexOf = new Map(steps.map((step, index) => [step.id, index]))
  const asked = uses.map(({ of, by, place }): StepEdge => {
    return { from: indexOf.get(of) as number, to: indexOf.get(by) as number, because: place }
  })
  const problems = reporter.count
  for (const { from, to, because } of asked) {
    if (from === to)
      reporter.add(
        because as SourcePath,
        `speaks of its own step '${steps[to]?.id}', which has not run by then`,
      )
  }
  checkAcyclic(steps, [...edges, ...asked.filter(({ from, to }) => from !== to)], reporter)
  if (reporter.count > problems) return
  const before = stepsBefore(steps.length, edges, order)
  for (const { from, to, because } of asked) {
    if (before(from, to)) continue
    const [of, by] = [steps[from]?.id, steps[to]?.id]
    reporter.add(
      because as SourcePath,
      `speaks of '${of}', which does not come before '${by}' and may not have run: let '${by}' wait for '${of}'`,
    )
  }
}

/** Whether one step comes before another. A row of bits for each step: who asks is asked often. */
function stepsBefore(
  count: number,
  edges: readonly StepEdge[],
  order: readonly number[],
): (first: number, then: number) => boolean {
  const words = Math.ceil(count / 32)
  const rows = Array.from({ length: count }, () => new Uint32Array(words))
  const predecessors: number[][] = rows.map(() => [])
  for (const { from, to } of edges) predecessors[to]?.push(from)
  for (const step of order) {
    const row = rows[step] as Uint32Array
    for (const predecessor of predecessors[step] ?? []) {
      const earlier = rows[predecessor] as Uint32Array
      for (let word = 0; word < words; word++) row[word] = (row[word] as number) | (earlier[word] as number)
      row[predecessor >>> 5] = (row[predecessor >>> 5] as number) | (1 << (predecessor & 31))
    }
  }
  return (first, then) => (((rows[then] as Uint32Array)[first >>> 5] as number) & (1 << (first & 31))) !== 0
}
