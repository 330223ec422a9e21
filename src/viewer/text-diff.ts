export interface DiffLine {
  readonly kind: 'same' | 'removed' | 'added'
  readonly text: string
  /** Number of the line before and after, from 1; null where it is not there. */
  readonly before: number | null
  readonly after: number | null
}

/** A stretch of equal lines that is not shown. */
export interface SkippedLines {
  readonly kind: 'skipped'
  readonly count: number
}

/** Beyond so many pairs of lines a text counts as rewritten from the first line that differs to the last. */
const mostPairs = 4_000_000

/** Line by line, as few lines as possible removed and added. */
export function textDiff(before: string, after: string): readonly DiffLine[] {
  const [were, are] = [linesOf(before), linesOf(after)]
  let start = 0
  while (start < were.length && start < are.length && were[start] === are[start]) start++
  let end = 0
  while (
    end < were.length - start &&
    end < are.length - start &&
    were[were.length - 1 - end] === are[are.length - 1 - end]
  ) {
    end++
  }
  const lines: DiffLine[] = []
  let [line, newLine] = [0, 0]
  const same = (): void =>
    void lines.push({ kind: 'same', text: were[line] ?? '', before: ++line, after: ++newLine })
  const removed = (): void =>
    void lines.push({ kind: 'removed', text: were[line] ?? '', before: ++line, after: null })
  const added = (): void =>
    void lines.push({ kind: 'added', text: are[newLine] ?? '', before: null, after: ++newLine })

  while (line < start) same()
  const [lastLine, lastNewLine] = [were.length - end, are.length - end]
  const common = commonLengths(were.slice(start, lastLine), are.slice(start, lastNewLine))
  while (line < lastLine && newLine < lastNewLine) {
    if (common !== undefined && were[line] === are[newLine]) same()
    else if (
      common === undefined ||
      common(line + 1 - start, newLine - start) >= common(line - start, newLine + 1 - start)
    )
      removed()
    else added()
  }
  while (line < lastLine) removed()
  while (newLine < lastNewLine) added()
  while (line < were.length) same()
  return lines
}

/** Changes with a few lines around them. */
export function withContext(lines: readonly DiffLine[], context = 3): readonly (DiffLine | SkippedLines)[] {
  const near = new Set<number>()
  lines.forEach(({ kind }, index) => {
    if (kind === 'same') return
    for (let each = index - context; each <= index + context; each++) near.add(each)
  })
  const shown: (DiffLine | SkippedLines)[] = []
  let skipped = 0
  const skip = (): void => {
    if (skipped > 0) shown.push({ kind: 'skipped', count: skipped })
    skipped = 0
  }
  lines.forEach((line, index) => {
    if (!near.has(index)) {
      skipped++
      return
    }
    skip()
    shown.push(line)
  })
  skip()
  return shown
}

const noLineBreak = '(no line break at the end)'

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') return lines.slice(0, -1)
  return [...lines, noLineBreak]
}

/** How many lines the texts have in common from two places on; undefined when that is too much to find out. */
function commonLengths(
  were: readonly string[],
  are: readonly string[],
): ((line: number, newLine: number) => number) | undefined {
  if (were.length * are.length > mostPairs) return undefined
  const width = are.length + 1
  const lengths = new Uint16Array((were.length + 1) * width)
  const at = (line: number, newLine: number): number => lengths[line * width + newLine] ?? 0
  for (let line = were.length - 1; line >= 0; line--) {
    for (let newLine = are.length - 1; newLine >= 0; newLine--) {
      lengths[line * width + newLine] =
        were[line] === are[newLine]
          ? at(line + 1, newLine + 1) + 1
          : Math.max(at(line + 1, newLine), at(line, newLine + 1))
    }
  }
  return at
}
