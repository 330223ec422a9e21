export interface TextDifference {
  /** Counted from 1. */
  readonly line: number
  readonly excerpt: readonly string[]
}

/**
 * The first line at which two texts part, with the line before it; undefined when they are equal:
 *
 *     2   "same"
 *     3 - "expected"
 *     3 + "found"
 *
 * Lines are quoted, so that tabs and blanks at their ends show.
 */
export function textDifference(expected: string, found: string): TextDifference | undefined {
  if (expected === found) return undefined
  const expectedLines = expected.split('\n')
  const foundLines = found.split('\n')
  let index = 0
  while (expectedLines[index] === foundLines[index]) index++
  const [wanted, is] = [expectedLines[index], foundLines[index]]
  const column = commonPrefix(wanted ?? '', is ?? '')
  const before = index === 0 ? [] : [row(index, ' ', expectedLines[index - 1], 0)]
  return {
    line: index + 1,
    excerpt: [...before, row(index + 1, '-', wanted, column), row(index + 1, '+', is, column)],
  }
}

function commonPrefix(left: string, right: string): number {
  let length = 0
  while (length < left.length && left[length] === right[length]) length++
  return length
}

/** So much of a long line is shown, and so much of that before the column that matters. */
const window = { characters: 80, before: 30 }

function row(line: number, mark: string, text: string | undefined, column: number): string {
  return `${String(line).padStart(4)} ${mark} ${text === undefined ? '(end of text)' : excerptOf(text, column)}`
}

function excerptOf(text: string, column: number): string {
  if (text.length <= window.characters) return JSON.stringify(text)
  const from = Math.max(0, column - window.before)
  const shown = JSON.stringify(text.slice(from, from + window.characters))
  return `${from > 0 ? '...' : ''}${shown}${from + window.characters < text.length ? '...' : ''}`
}
