import { FaultlineError } from '../../core/index.ts'

/** A path into the source: object keys and list positions, as they are written there. */
export type SourcePath = readonly (string | number)[]

/** Something wrong with a definition. */
export interface Problem {
  readonly path: SourcePath
  /** Continues the sentence that the path begins: "names no step: 'x'". */
  readonly message: string
}

const shownProblems = 5

/** One line per problem, `file:line:column: path message`, at most five. */
export function definitionError(problems: readonly Problem[], place: (path: SourcePath) => string): FaultlineError {
  const lines = problems.slice(0, shownProblems).map(({ path, message }) => {
    const where = formatSourcePath(path)
    return `${place(path)}: ${where === '' ? 'the workflow' : where} ${message}`
  })
  const more = problems.length - lines.length
  return new FaultlineError('DEFINITION_INVALID', [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'), {
    details: { problems: problems.map(({ path, message }) => ({ path: formatSourcePath(path), message, place: place(path) })) },
  })
}

export function formatSourcePath(path: SourcePath): string {
  return path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`), '')
}
