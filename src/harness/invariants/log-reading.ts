import { isJsonObject } from '../../core/index.ts'
import type { JsonObject } from '../../core/index.ts'
import { commonLength } from './byte-comparison.ts'
import type { EventShapes, LoggedEvent } from './event-shapes.ts'
import type { EvidenceDigest } from './evidence.ts'

/** One line of a log: its JSON when it is intact, or what is wrong with it. */
export interface LogLine {
  readonly value?: JsonObject
  /** How it is damaged, to follow "the line". */
  readonly problem?: string
  /** Set when it is an event. */
  readonly event?: LoggedEvent
  /** Why it is intact and no event. */
  readonly misshape?: string
}

/** A log as its bytes say, judged line by line: no damage ends the reading. */
export interface LogReading {
  readonly bytes: Uint8Array
  readonly lines: readonly LogLine[]
  /** Where in the bytes each line is over that is not cut short. */
  readonly ends: readonly number[]
  /** The lines that are events, in their order in the file. */
  readonly events: readonly LoggedEvent[]
  /** How many events stand before the first line that is damaged or out of sequence. */
  readonly wholeEvents: number
}

const lineFeed = 0x0a
// Bytes that are not UTF-8 come out as other text, which no checksum fits.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** By the bytes themselves, which nobody writes to: forked disks share them. */
const knownLogs = new WeakMap<Uint8Array, LogReading>()

/** Those read last, newest first: the next one mostly begins as one of them does. */
let lately: readonly LogReading[] = []
const mostLately = 16
const largestLately = 1_000_000

/** By text, which is all that a line is judged by: runs that were forked from one another share most of their lines. */
const knownLines = new Map<string, LogLine>()
const mostKnownLines = 20_000

export function readLog(bytes: Uint8Array, digest: EvidenceDigest, shapes: EventShapes): LogReading {
  const known = knownLogs.get(bytes)
  if (known !== undefined) return known
  const log = readOn(mostAlike(bytes), bytes, (text) => readLine(text, digest, shapes))
  knownLogs.set(bytes, log)
  if (bytes.length <= largestLately && log !== lately[0])
    lately = [log, ...lately.filter((other) => other !== log)].slice(0, mostLately)
  return log
}

/** The first line that carries an event's number. */
export function lineOf({ lines, wholeEvents }: LogReading, seq: number): LogLine | undefined {
  if (seq < wholeEvents) return lines[seq]
  return lines.find(({ value }, index) => index >= wholeEvents && value?.['seq'] === seq)
}

/** The first event of a number. */
export function eventOf(log: LogReading, seq: number): LoggedEvent | undefined {
  return (
    (seq < log.wholeEvents ? log.lines[seq]?.event : undefined) ??
    log.events.find((event) => event.seq === seq)
  )
}

interface Alike {
  readonly log: LogReading
  /** How many bytes both begin with. */
  readonly length: number
}

function mostAlike(bytes: Uint8Array): Alike {
  let most: Alike = { log: emptyLog, length: 0 }
  for (const log of lately) {
    const { length } = most
    if (length === bytes.length) break
    if (log.bytes[length] === bytes[length]) {
      const common = commonLength(log.bytes, bytes)
      if (common > length) most = { log, length: common }
    }
  }
  return most
}

const emptyLog: LogReading = { bytes: new Uint8Array(), lines: [], ends: [], events: [], wholeEvents: 0 }

/** Reads what comes after the lines that another log begins with as well. */
function readOn({ log, length }: Alike, bytes: Uint8Array, read: (text: string) => LogLine): LogReading {
  if (length === bytes.length && length === log.bytes.length) return log
  const differs = log.ends.findIndex((end) => end > length)
  const shared = differs < 0 ? log.ends.length : differs
  const lines = log.lines.slice(0, shared)
  const ends = log.ends.slice(0, shared)
  let from = ends.at(-1) ?? 0
  for (let at = bytes.indexOf(lineFeed, from); at >= 0; at = bytes.indexOf(lineFeed, from)) {
    lines.push(read(decoder.decode(bytes.subarray(from, at))))
    from = at + 1
    ends.push(from)
  }
  if (from < bytes.length) lines.push({ problem: 'is cut short' })
  const events: LoggedEvent[] = []
  for (const { event } of lines) if (event !== undefined) events.push(event)
  let wholeEvents = Math.min(log.wholeEvents, shared)
  while (lines[wholeEvents]?.value?.['seq'] === wholeEvents) wholeEvents++
  return { bytes, lines, ends, events, wholeEvents }
}

function readLine(text: string, digest: EvidenceDigest, shapes: EventShapes): LogLine {
  const known = knownLines.get(text)
  if (known !== undefined) return known
  const line = parseLine(text, digest, shapes)
  if (knownLines.size >= mostKnownLines) knownLines.clear()
  knownLines.set(text, line)
  return line
}

/** `<CRC-32 of the JSON, eight hexadecimal digits> <JSON>` */
function parseLine(text: string, digest: EvidenceDigest, shapes: EventShapes): LogLine {
  const [, checksum, json = ''] = /^([0-9a-f]{8}) (.*)$/.exec(text) ?? []
  if (checksum === undefined) return { problem: 'has no checksum' }
  if (Number.parseInt(checksum, 16) !== digest.crc32(json)) return { problem: 'does not match its checksum' }
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return { problem: 'is not JSON' }
  }
  if (!isJsonObject(value)) return { problem: 'is not a JSON object' }
  const parsed = shapes.event.safeParse(value)
  return parsed.success
    ? { value, event: value as unknown as LoggedEvent }
    : { value, misshape: firstIssue(parsed.error.issues) }
}

function firstIssue(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string {
  const [issue] = issues
  if (issue?.path.length === 1 && issue.path[0] === 'kind') return 'no event has this kind'
  return issue === undefined
    ? 'it fits no kind of event'
    : `${issue.path.map(String).join('.')}: ${issue.message}`
}
