/** Which step creates what, as `creates` declares it. */
export interface CreatedFiles {
  /**
   * Indexes of the steps that create a required path, in step order: the path itself, a folder around it, or, when a folder is
   * required, anything inside it.
   */
  creatorsOf(required: string): readonly number[]
}

interface Creation {
  readonly name: string
  readonly isFolder: boolean
  readonly step: number
}

export function createdFiles(steps: readonly { readonly creates: readonly string[] }[]): CreatedFiles {
  const sorted = steps
    .flatMap(({ creates }, step) =>
      creates.map((path): Creation => ({ name: artifactName(path), isFolder: path.endsWith('/'), step })),
    )
    .sort((left, right) =>
      left.name < right.name ? -1 : left.name > right.name ? 1 : left.step - right.step,
    )
  const byName = new Map<string, Creation[]>()
  for (const creation of sorted) {
    const same = byName.get(creation.name)
    if (same === undefined) byName.set(creation.name, [creation])
    else same.push(creation)
  }
  return {
    creatorsOf(required) {
      const name = artifactName(required)
      const found = new Set<number>()
      for (const creation of byName.get(name) ?? []) found.add(creation.step)
      for (const folder of foldersAround(name)) {
        for (const creation of byName.get(folder) ?? []) if (creation.isFolder) found.add(creation.step)
      }
      if (required.endsWith('/')) for (const creation of inside(sorted, name)) found.add(creation.step)
      return [...found].sort((left, right) => left - right)
    },
  }
}

/** Without the mark of a folder: `src` and `src/` are one place on disk. */
export function artifactName(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path
}

function foldersAround(name: string): readonly string[] {
  const folders: string[] = []
  for (let cut = name.lastIndexOf('/'); cut > 0; cut = name.lastIndexOf('/', cut - 1))
    folders.push(name.slice(0, cut))
  return folders
}

/** A run of neighbours in the sorted list, found by bisection: large workflows have thousands of paths. */
function inside(sorted: readonly Creation[], folder: string): readonly Creation[] {
  const prefix = `${folder}/`
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as Creation).name < prefix) low = middle + 1
    else high = middle
  }
  let end = low
  while (end < sorted.length && (sorted[end] as Creation).name.startsWith(prefix)) end++
  return sorted.slice(low, end)
}
