import type { JsonValue } from '../../core/index.ts'
import { spelledKey } from './known-keys.ts'
import type { ProblemList } from './problems.ts'
import { formatPath, valueAt } from './source-tree.ts'
import type { SourcePath, SourceTree } from './source-tree.ts'

/**
 * Speaks of places in a workflow by their canonical path (`['steps', 1, 'dependsOn', 0]`), whichever way the source spells
 * them and wherever in the source the workflow stands.
 */
export interface Reporter {
  add(path: SourcePath, message: string): void
  /** `steps[1].depends_on (line 9)`. */
  name(path: SourcePath): string
  /** ` (line 9)`, or nothing where there are no lines. */
  line(path: SourcePath): string
  /** The problems so far. */
  readonly count: number
}

export function createReporter(tree: SourceTree, base: SourcePath, problems: ProblemList): Reporter {
  const line = (path: SourcePath): string => {
    const position = tree.position([...base, ...writtenPath(tree, base, path)])
    return position === undefined ? '' : ` (line ${position.line})`
  }
  return {
    add: (path, message) => problems.add([...base, ...writtenPath(tree, base, path)], message),
    name: (path) => formatPath(writtenPath(tree, base, path)) + line(path),
    line,
    get count() {
      return problems.count
    },
  }
}

/** A single name in place of a list has no index in the source: the path then ends at its key. */
function writtenPath(tree: SourceTree, base: SourcePath, path: SourcePath): SourcePath {
  let raw: JsonValue | undefined = valueAt(tree.value, base)
  const written: (string | number)[] = []
  for (const name of path) {
    if (typeof raw !== 'object' || raw === null) break
    const key = spelledKey(raw, name)
    written.push(key)
    raw = valueAt(raw, [key])
  }
  return written
}
