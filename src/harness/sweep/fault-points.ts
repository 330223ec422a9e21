import type { FileOperation } from '../../ports/index.ts'

/**
 * Names the file operations of one engine life by what they are and not by when they come:
 * `<incarnation>/<step>#<visit>@<attempt>:files.<operation>:<path>#<occurrence>`, or `<incarnation>/run:...` outside steps.
 */
export class FileOperationNames {
  readonly #incarnation: number
  readonly #occurrences: Map<string, number>

  constructor(incarnation: number, occurrences: ReadonlyMap<string, number> = new Map()) {
    this.#incarnation = incarnation
    this.#occurrences = new Map(occurrences)
  }

  nameOf({ op, path }: FileOperation): string {
    const { inRun, scope } = placeOf(path)
    const name = `${this.#incarnation}/${scope}:files.${op}:${inRun}`
    const occurrence = (this.#occurrences.get(name) ?? 0) + 1
    this.#occurrences.set(name, occurrence)
    return `${name}#${occurrence}`
  }

  copy(): FileOperationNames {
    return new FileOperationNames(this.#incarnation, this.#occurrences)
  }
}

interface PlaceInRun {
  readonly inRun: string
  readonly scope: string
}

/** By path: the lives of a sweep write to the same few again and again. */
const knownPlaces = new Map<string, PlaceInRun>()
const mostKnownPlaces = 4_096

function placeOf(path: string): PlaceInRun {
  const known = knownPlaces.get(path)
  if (known !== undefined) return known
  const inRun = path.replace(/^.*\/runs\/[^/]+\//, '')
  const scope = /^staging\/([^/]+#\d+@\d+)(?:\/|$)/.exec(inRun)?.[1] ?? 'run'
  const place = { inRun, scope }
  if (knownPlaces.size >= mostKnownPlaces) knownPlaces.clear()
  knownPlaces.set(path, place)
  return place
}
