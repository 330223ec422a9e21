import { suggestion } from '../../core/index.ts'

/** `input.name` or `build.output.items[0].id`, read. */
export interface Reference {
  /** As it stands between the braces. */
  readonly text: string
  /** The step whose output is meant; undefined: the run's input. */
  readonly step: string | undefined
  readonly path: readonly (string | number)[]
}

export type ReadReference =
  | { readonly ok: true; readonly reference: Reference }
  /** `problem` continues a sentence that begins with the reference. */
  | { readonly ok: false; readonly problem: string }

const longestReference = 1_000
/** Looking for the nearest name is dear in a large workflow. */
const mostCandidates = 1_000

const forms = `'input' or '<step>.output', then '.key', '[0]' or ['a key']`

/** Reads what stands between the braces. Step ids may hold dots, so that only the known ones tell where an id ends. */
export function readReference(between: string, stepIds: ReadonlySet<string>): ReadReference {
  const text = between.trim()
  if (text === '') return { ok: false, problem: `is empty: write ${forms}` }
  if (text.length > longestReference)
    return { ok: false, problem: `is longer than ${longestReference} characters` }
  const readings = readingsOf(text, stepIds)
  const [first, second] = readings
  if (second !== undefined)
    return { ok: false, problem: `can be read in ${readings.length} ways: rename a step` }
  if (first === undefined) return { ok: false, problem: notFound(text, stepIds) }
  const path = readPath(first.rest)
  if (path === undefined) return { ok: false, problem: `cannot be read: write ${forms}` }
  return { ok: true, reference: { text, step: first.step, path } }
}

interface Reading {
  readonly step: string | undefined
  readonly rest: string
}

function readingsOf(text: string, stepIds: ReadonlySet<string>): readonly Reading[] {
  const readings: Reading[] = []
  if (/^input(?![^.[])/.test(text)) readings.push({ step: undefined, rest: text.slice('input'.length) })
  for (const { index } of text.matchAll(/\.output(?![^.[])/g)) {
    const step = text.slice(0, index)
    if (stepIds.has(step)) readings.push({ step, rest: text.slice(index + '.output'.length) })
  }
  return readings
}

function notFound(text: string, stepIds: ReadonlySet<string>): string {
  const end = text.search(/\.output(?![^.[])/)
  const literally = `for the text itself, write $\${...}`
  if (end < 0) return `names neither the run's input nor a step's output: write ${forms}; ${literally}`
  const step = text.slice(0, Math.min(end, 128))
  const hint = stepIds.size > mostCandidates ? '' : `. ${suggestion(step, stepIds)}`
  return `names no step: '${step}'${hint}`
}

const pathPart = /\.([^\s.[\]{}'"$]+)|\[(\d{1,9})\]|\['([^'\]]+)'\]|\["([^"\]]+)"\]/y

function readPath(text: string): readonly (string | number)[] | undefined {
  const path: (string | number)[] = []
  pathPart.lastIndex = 0
  while (pathPart.lastIndex < text.length) {
    const match = pathPart.exec(text)
    if (match === null) return undefined
    const [, key, index, quoted, doubleQuoted] = match
    path.push(index === undefined ? ((key ?? quoted ?? doubleQuoted) as string) : Number(index))
  }
  return path
}

/** A text in pieces: literal text and what stands between the braces of `${...}`; `$${` stands for `${` itself. */
export type TextPiece = { readonly literal: string } | { readonly between: string }

/** @returns undefined when a `${` is never closed. */
export function piecesOf(text: string): readonly TextPiece[] | undefined {
  const pieces: TextPiece[] = []
  let literal = ''
  let at = 0
  for (let start = text.indexOf('${'); start >= 0; start = text.indexOf('${', at)) {
    if (start > at && text[start - 1] === '$') {
      literal += `${text.slice(at, start - 1)}\${`
      at = start + 2
      continue
    }
    const end = text.indexOf('}', start)
    if (end < 0) return undefined
    literal += text.slice(at, start)
    if (literal !== '') pieces.push({ literal })
    literal = ''
    pieces.push({ between: text.slice(start + 2, end) })
    at = end + 1
  }
  literal += text.slice(at)
  if (literal !== '') pieces.push({ literal })
  return pieces
}
