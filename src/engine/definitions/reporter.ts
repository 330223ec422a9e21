import { shownPath } from './problems.ts'
import type { ProblemList } from './problems.ts'
import type { SourcePath, SourceTree } from './source-tree.ts'
import type { WrittenPath } from './written-path.ts'

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

export function createReporter(tree: SourceTree, written: WrittenPath, problems: ProblemList): Reporter {
  const line = (path: SourcePath): string => {
    const position = tree.position(written(path))
    return position === undefined ? '' : ` (line ${position.line})`
  }
  return {
    add: (path, message) => problems.add(written(path), message),
    name: (path) => shownPath(written(path)) + line(path),
    line,
    get count() {
      return problems.count
    },
  }
}
