import { decodeUtf8, encodeUtf8, isJsonObject } from '../../core/index.ts'
import type { JsonObject } from '../../core/index.ts'
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
  /** The lines that are events, in their order in the file. */
  readonly events: readonly LoggedEvent[]
  /** How many events stand before the first line that is damaged or out of sequence. */
  readonly wholeEvents: number
}

// Bytes that are not UTF-8 come out as other text, which no checksum fits.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** By text, which is all that a line is judged by: runs that were forked from one another share most of their lines. */
const knownLines = new Map<string, LogLine>()
const mostKnownLines = 20_000

/** Whole logs by their text, as long as all of them together are not too large. */
const knownLogs = new Map<string, LogReading>()
let knownCharacters = 0
const mostKnownCharacters = 4_000_000

export function readLog(bytes: Uint8Array, digest: EvidenceDigest, shapes: EventShapes): LogReading {
  const whole = decoder.decode(bytes)
  const known = knownLogs.get(whole)
  if (known !== undefined) return known
  const log = readLines(bytes, whole, digest, shapes)
  // Bytes that are no text read alike.
  if (whole.includes('\ufffd')) return log
  knownCharacters += whole.length
  if (knownCharacters > mostKnownCharacters) {
    knownLogs.clear()
    knownCharacters = whole.length
  }
  knownLogs.set(whole, log)
  return log
}

function readLines(
  bytes: Uint8Array,
  whole: string,
  digest: EvidenceDigest,
  shapes: EventShapes,
): LogReading {
  const texts = whole.split('\n')
  const cut = texts.pop()
  const lines = texts.map((text) => readLine(text, digest, shapes))
  if (cut !== '') lines.push({ problem: 'is cut short' })
  const events = lines.flatMap(({ event }) => (event === undefined ? [] : [event]))
  const odd = lines.findIndex(({ value }, index) => value?.['seq'] !== index)
  return { bytes, lines, events, wholeEvents: odd < 0 ? lines.length : odd }
}

function readLine(text: string, digest: EvidenceDigest, shapes: EventShapes): LogLine {
  const known = knownLines.get(text)
  if (known !== undefined) return known
  const line = parseLine(text, digest, shapes)
  if (knownLines.size >= mostKnownLines) knownLines.clear()
  // A copy of its own: a slice would keep the text of the whole log.
  knownLines.set(decodeUtf8(encodeUtf8(text)), line)
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
