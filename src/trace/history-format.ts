import { formatDuration } from '../core/index.ts'
import type { TimelineRow } from './timeline.ts'

/** Lines of terminal output stay below 80 columns. */
export const terminalWidth = 79

/**
 * What happened and why, for terminals: a sentence per event with its number and its time since the run's start. Nothing is
 * cut; what is too long goes on below. No line feed at the end.
 */
export function formatHistory(rows: readonly TimelineRow[], width = terminalWidth): string {
  const offsets = rows.map(({ offsetMs }) => `+${formatDuration(offsetMs)}`)
  const seqWidth = Math.max(1, ...rows.map(({ seq }) => String(seq).length))
  const offsetWidth = Math.max(1, ...offsets.map((offset) => offset.length))
  const indent = ' '.repeat(seqWidth + offsetWidth + 4)
  return rows
    .map(({ seq, text }, index) => {
      const head = `${String(seq).padStart(seqWidth)}  ${(offsets[index] as string).padStart(offsetWidth)}  `
      return head + wrapped(text, width - indent.length).join(`\n${indent}`)
    })
    .join('\n')
}

/** Breaks a text between words into lines of at most `width` characters; a word that is longer is broken too. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (longer.length <= width) {
      line = longer
      continue
    }
    if (line !== '') lines.push(line)
    line = word
    for (; line.length > width; line = line.slice(width)) lines.push(line.slice(0, width))
  }
  return [...lines, line]
}
