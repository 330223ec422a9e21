/** One import between two files. */
export interface ImportEdge {
  readonly from: string
  readonly to: string
  readonly line: number
}

/** The imports which lead from a file back to it. */
export type ImportCycle = readonly [ImportEdge, ...ImportEdge[]]

/** For every file on a cycle that no earlier one names, its shortest cycle; files in alphabetical order. */
export function importCycles(edges: readonly ImportEdge[]): ImportCycle[] {
  const outgoing = new Map<string, ImportEdge[]>()
  for (const edge of edges) outgoing.set(edge.from, [...(outgoing.get(edge.from) ?? []), edge])

  const named = new Set<string>()
  const found: ImportCycle[] = []
  for (const start of [...outgoing.keys()].sort()) {
    const cycle = named.has(start) ? undefined : shortestCycle(start, outgoing)
    if (cycle === undefined) continue
    for (const { from } of cycle) named.add(from)
    found.push(cycle)
  }
  return found
}

/** Breadth first from the file until an import leads back to it. */
function shortestCycle(
  start: string,
  outgoing: ReadonlyMap<string, readonly ImportEdge[]>,
): ImportCycle | undefined {
  const seen = new Set<string>()
  let paths: ImportCycle[] = (outgoing.get(start) ?? []).map((edge) => [edge])
  while (paths.length > 0) {
    const longer: ImportCycle[] = []
    for (const path of paths) {
      const end = path.at(-1)?.to
      if (end === start) return path
      if (end === undefined || seen.has(end)) continue
      seen.add(end)
      for (const edge of outgoing.get(end) ?? []) longer.push([...path, edge])
    }
    paths = longer
  }
  return undefined
}
