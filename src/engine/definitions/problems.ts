import { FaultlineError } from '../../core/index.ts'
import { formatPath, visible } from './source-tree.ts'
import type { Position, SourcePath } from './source-tree.ts'

/** One thing that is wrong with a definition, as `details.problems` lists it. */
export interface Problem {
  readonly file?: string
  readonly line?: number
  readonly column?: number
  /** `steps[2].next`, in the words of the source; empty for the source as a whole. */
  readonly path: string
  readonly message: string
}

export interface ProblemList {
  /** `message` continues a sentence that begins with the path. */
  add(path: SourcePath, message: string): void
  readonly count: number
  error(): FaultlineError
  /** @throws FaultlineError `DEFINITION_INVALID` when anything was added. */
  throwIfAny(): void
}

/** What a problem list needs of a source; a text that cannot be parsed has no tree yet. */
export interface ProblemSource {
  readonly label: string
  readonly file: string | undefined
  position(path: SourcePath): Position | undefined
}

const shownProblems = 5

export function createProblemList(source: ProblemSource): ProblemList {
  const problems: Problem[] = []
  const seen = new Set<string>()
  return {
    add(sourcePath, message) {
      const path = shownPath(sourcePath)
      const key = `${path} ${message}`
      if (seen.has(key)) return
      seen.add(key)
      const file = source.file === undefined ? {} : { file: source.file }
      problems.push({ ...file, ...source.position(sourcePath), path, message: oneLine(message) })
    },
    get count() {
      return problems.length
    },
    error: () => definitionInvalid(source.label, problems),
    throwIfAny() {
      if (problems.length > 0) throw definitionInvalid(source.label, problems)
    },
  }
}

const mapsAround: readonly unknown[] = ['workflow', 'workflow_data', 'workflowData']

/** The maps around the workflow say nothing about the place within it. */
export function shownPath(path: SourcePath): string {
  const inner = path.findIndex((key) => !mapsAround.includes(key))
  return formatPath(inner < 0 ? path : path.slice(inner))
}

function definitionInvalid(label: string, problems: readonly Problem[]): FaultlineError {
  const inOrder = [...problems].sort(byPosition)
  const lines = inOrder.slice(0, shownProblems).map((problem) => describeProblem(label, problem))
  const hidden = inOrder.length - lines.length
  if (hidden > 0) lines.push(`and ${hidden} more`)
  return new FaultlineError('DEFINITION_INVALID', lines.join('\n'), { details: { problems: inOrder } })
}

/** All problems of a `DEFINITION_INVALID`, of which its message shows the first, one a line. */
export function describeProblems({ details }: FaultlineError, label: string): readonly string[] {
  const problems = (details['problems'] ?? []) as readonly Problem[]
  return problems.map((problem) => describeProblem(label, problem))
}

function byPosition(left: Problem, right: Problem): number {
  return (left.line ?? 0) - (right.line ?? 0) || (left.column ?? 0) - (right.column ?? 0)
}

function describeProblem(label: string, { line, column, path, message }: Problem): string {
  const place = line === undefined ? label : `${label}:${line}:${column}`
  return `${place}: ${path === '' ? message : `${path} ${message}`}`
}

function oneLine(text: string): string {
  return visible(text.replaceAll(/\s+/g, ' ').trim())
}
