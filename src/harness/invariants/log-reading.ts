import { isJsonObject } from '../../core/index.ts'
import type { JsonObject } from '../../core/index.ts'
import { sameBytes } from './byte-comparison.ts'
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
const lately: LogReading[] = []
const mostLately = 16
const largestLately = 1_000_000

interface KnownLine {
  readonly bytes: Uint8Array
  readonly line: LogLine
}

/** By what they begin with, a checksum: runs that were forked from one another share most of their lines. */
const knownLines = new Map<number, KnownLine>()
const mostKnownLines = 20_000

export function readLog(bytes: Uint8Array, digest: EvidenceDigest, shapes: EventShapes): LogReading {
  const known = knownLogs.get(bytes)
  if (known !== undefined) return known
  const place = lately.findIndex((log) => isLogOf(log, bytes))
  const log = lately[place] ?? readOn(bytes, digest, shapes)
  knownLogs.set(bytes, log)
  if (place === 0 || bytes.length > largestLately) return log
  if (place > 0) lately.splice(place, 1)
  else if (lately.length === mostLately) lately.pop()
  lately.unshift(log)
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

/** How many whole lines of a log some bytes begin with, by halves: the comparison itself is the machine's. */
export function linesInCommon({ bytes, ends }: LogReading, others: Uint8Array): number {
  let common = 0
  let from = 0
  let tried = ends.length
  for (let end = tried; common < end; tried = (common + end + 1) >>> 1) {
    const to = ends[tried - 1] as number
    if (to <= others.length && sameBytes(bytes.subarray(from, to), others.subarray(from, to))) {
      common = tried
      from = to
    } else end = tried - 1
  }
  return common
}

function isLogOf({ bytes, ends }: LogReading, others: Uint8Array): boolean {
  if (bytes.length !== others.length || !beginAlike(bytes, others, ends.at(-2) ?? 0)) return false
  return sameBytes(bytes, others)
}

const checksumLength = 8

/** Whether two logs have the same checksum at a place: mostly the answer to whether they go on with the same line. */
function beginAlike(left: Uint8Array, right: Uint8Array, from: number): boolean {
  for (let at = from; at < from + checksumLength; at++) if (left[at] !== right[at]) return false
  return true
}

/** Reads what comes after the lines that another log begins with as well. */
function readOn(bytes: Uint8Array, digest: EvidenceDigest, shapes: EventShapes): LogReading {
  let [alike, shared, from] = [emptyLog, 0, 0]
  for (const log of lately) {
    if (!beginAlike(log.bytes, bytes, from)) continue
    const common = linesInCommon(log, bytes)
    if (common > shared) [alike, shared, from] = [log, common, log.ends[common - 1] as number]
  }
  const lines = alike.lines.slice(0, shared)
  const ends = alike.ends.slice(0, shared)
  for (let at = bytes.indexOf(lineFeed, from); at >= 0; at = bytes.indexOf(lineFeed, from)) {
    lines.push(readLine(bytes.subarray(from, at), digest, shapes))
    from = at + 1
    ends.push(from)
  }
  if (from < bytes.length) lines.push({ problem: 'is cut short' })
  const events: LoggedEvent[] = []
  for (const { event } of lines) if (event !== undefined) events.push(event)
  let wholeEvents = Math.min(alike.wholeEvents, shared)
  while (lines[wholeEvents]?.value?.['seq'] === wholeEvents) wholeEvents++
  return { bytes, lines, ends, events, wholeEvents }
}

const emptyLog: LogReading = { bytes: new Uint8Array(), lines: [], ends: [], events: [], wholeEvents: 0 }

function readLine(bytes: Uint8Array, digest: EvidenceDigest, shapes: EventShapes): LogLine {
  const beginning = beginningOf(bytes)
  const known = knownLines.get(beginning)
  if (known !== undefined && sameBytes(known.bytes, bytes)) return known.line
  const line = parseLine(decoder.decode(bytes), digest, shapes)
  if (line.problem !== undefined) return line
  if (knownLines.size >= mostKnownLines) knownLines.clear()
  // A copy, which `slice` of a Buffer is not: nobody shall hold a whole log by a line.
  knownLines.set(beginning, { bytes: new Uint8Array(bytes), line })
  return line
}

/** A number made of the checksum that a line begins with. */
function beginningOf(bytes: Uint8Array): number {
  let beginning = 0
  for (let at = 0; at < checksumLength; at++) beginning = Math.imul(beginning, 31) + (bytes[at] ?? 0)
  return beginning
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
