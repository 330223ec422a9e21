import { formatDuration } from '../core/index.ts'
import type { TimelineRow } from './timeline.ts'

export interface TimelineWindow {
  /** `seq` of the row to keep in sight and to mark with `>`; default: none is marked and the last rows are kept. */
  readonly around?: number
  /** At most so many rows; default: all. */
  readonly limit?: number
}

export interface TimelineFormatOptions extends TimelineWindow {
  /** Longest line in characters; default 100. What is longer ends with an ellipsis. */
  readonly width?: number
}

/** Plain text for terminals: one line a row, time as offset from the run's start. No line feed at the end. */
export function formatTimeline(rows: readonly TimelineRow[], options: TimelineFormatOptions = {}): string {
  const { shown, earlier, later } = timelineWindow(rows, options)
  const width = options.width ?? 100
  const seqWidth = Math.max(1, ...shown.map((row) => String(row.seq).length))
  const offsetWidth = Math.max(0, ...shown.map((row) => offset(row).length))
  const lines = shown.map((row) => {
    const mark = row.seq === options.around ? '>' : ' '
    return `${mark} ${String(row.seq).padStart(seqWidth)}  ${offset(row).padStart(offsetWidth)}  ${row.text}`
  })
  return [...left(earlier, 'earlier', '  ... '), ...lines, ...left(later, 'later', '  ... ')]
    .map((line) => shortened(line, width))
    .join('\n')
}

/** A Markdown table, with the same rows and offsets. No line feed at the end. */
export function timelineMarkdown(rows: readonly TimelineRow[], options: TimelineWindow = {}): string {
  const { shown, earlier, later } = timelineWindow(rows, options)
  const lines = shown.map((row) => {
    const text = row.seq === options.around ? `**${cell(row.text)}**` : cell(row.text)
    return `| ${row.seq} | ${offset(row)} | ${cell(stepOf(row))} | ${cell(row.status)} | ${text} |`
  })
  return [
    ...left(earlier, 'earlier', '').flatMap((line) => [line, '']),
    '| # | time | step | status | what happened |',
    '|--:|-----:|------|--------|---------------|',
    ...lines,
    ...left(later, 'later', '').flatMap((line) => ['', line]),
  ].join('\n')
}

interface ShownRows {
  readonly shown: readonly TimelineRow[]
  readonly earlier: number
  readonly later: number
}

/** Cuts to `limit` rows; what led to the marked row matters more than what followed, so three quarters stand before it. */
function timelineWindow(rows: readonly TimelineRow[], { around, limit }: TimelineWindow): ShownRows {
  const count = Math.min(rows.length, limit ?? rows.length)
  const marked = around === undefined ? -1 : rows.findIndex((row) => row.seq === around)
  const wanted = marked < 0 ? rows.length - count : marked - Math.floor(count * 0.75) + 1
  const first = Math.max(0, Math.min(wanted, rows.length - count))
  return { shown: rows.slice(first, first + count), earlier: first, later: rows.length - first - count }
}

function left(count: number, where: 'earlier' | 'later', indent: string): string[] {
  return count === 0 ? [] : [`${indent}${count} ${where} ${count === 1 ? 'row' : 'rows'}`]
}

function offset(row: TimelineRow): string {
  return `+${formatDuration(row.offsetMs)}`
}

function stepOf(row: TimelineRow): string {
  return row.step === null ? '' : `${row.step}${row.visit === null ? '' : `#${row.visit}@${row.attempt}`}`
}

function shortened(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`
}

/** Keeps a text inside its cell: no bars, no HTML, no emphasis by accident. */
function cell(text: string): string {
  return text.replace(/[\\|*_`<>[\]]/g, (character) => `\\${character}`)
}
