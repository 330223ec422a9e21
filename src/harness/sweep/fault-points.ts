import type { FileOperation } from '../../ports/index.ts'

/**
 * Names the file operations of one engine life by what they are and not by when they come:
 * `<incarnation>/<step>#<visit>@<attempt>:files.<operation>:<path>#<occurrence>`, or `<incarnation>/run:...` outside steps.
 */
export class FileOperationNames {
  readonly #incarnation: number
  readonly #before: ReadonlyMap<string, number>
  readonly #occurrences = new Map<string, number>()

  /** @param before how often each had come when the life was forked. */
  constructor(incarnation: number, before: ReadonlyMap<string, number> = new Map()) {
    this.#incarnation = incarnation
    this.#before = before
  }

  nameOf({ op, path }: FileOperation): string {
    const stem = stemOf(op, path)
    const occurrence = (this.#occurrences.get(stem) ?? this.#before.get(stem) ?? 0) + 1
    this.#occurrences.set(stem, occurrence)
    return `${this.#incarnation}/${stem}#${occurrence}`
  }

  /** How often each has come. */
  occurrences(): ReadonlyMap<string, number> {
    return new Map([...this.#before, ...this.#occurrences])
  }
}

/** By path and operation: the lives of a sweep do the same to the same few files again and again. */
const knownStems = new Map<string, Map<FileOperation['op'], string>>()
const mostKnownPaths = 4_096

function stemOf(op: FileOperation['op'], path: string): string {
  const stems = knownStems.get(path)
  const known = stems?.get(op)
  if (known !== undefined) return known
  const inRun = path.replace(/^.*\/runs\/[^/]+\//, '')
  const scope = /^staging\/([^/]+#\d+@\d+)(?:\/|$)/.exec(inRun)?.[1] ?? 'run'
  const stem = `${scope}:files.${op}:${inRun}`
  if (stems !== undefined) stems.set(op, stem)
  else {
    if (knownStems.size >= mostKnownPaths) knownStems.clear()
    knownStems.set(path, new Map([[op, stem]]))
  }
  return stem
}
