import { isJsonObject } from '../../core/index.ts'
import type { JsonObject } from '../../core/index.ts'
import type { EventShapes, LoggedEvent } from './event-shapes.ts'
import type { EvidenceDigest } from './evidence.ts'

/** One line of a log: its JSON when it is intact, or what is wrong with it. */
export interface LogLine {
  /** Counted from 1. */
  readonly number: number
  readonly value?: JsonObject
  /** How it is damaged, to follow "the line". */
  readonly problem?: string
}

/** A log as its bytes say, judged line by line: no damage ends the reading. */
export interface LogReading {
  readonly bytes: Uint8Array
  readonly lines: readonly LogLine[]
  /** Intact lines that have the shape of an event, in their order in the file. */
  readonly events: readonly LoggedEvent[]
  /** Why an intact line is no event, by line number. */
  readonly misshapen: ReadonlyMap<number, string>
  /** How many events stand before the first line that is damaged or out of sequence. */
  readonly wholeEvents: number
}

const lineFeed = 0x0a
const decoder = new TextDecoder('utf-8', { fatal: true })

export function readLog(bytes: Uint8Array, digest: EvidenceDigest, shapes: EventShapes): LogReading {
  const lines: LogLine[] = []
  const events: LoggedEvent[] = []
  const misshapen = new Map<number, string>()
  let wholeEvents = 0
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(lineFeed, start)
    const line = readLine(lines.length + 1, end < 0 ? undefined : bytes.subarray(start, end), digest)
    lines.push(line)
    start = end < 0 ? bytes.length : end + 1
    if (line.value === undefined) continue
    if (wholeEvents === lines.length - 1 && line.value['seq'] === wholeEvents) wholeEvents++
    const parsed = shapes.event.safeParse(line.value)
    if (parsed.success) events.push(line.value as unknown as LoggedEvent)
    else misshapen.set(line.number, firstIssue(parsed.error.issues))
  }
  return { bytes, lines, events, misshapen, wholeEvents }
}

/** `<CRC-32 of the JSON, eight hexadecimal digits> <JSON>`; `undefined` for a line that the end of the file cuts. */
function readLine(number: number, bytes: Uint8Array | undefined, digest: EvidenceDigest): LogLine {
  if (bytes === undefined) return { number, problem: 'is cut short' }
  const damaged = (problem: string): LogLine => ({ number, problem })
  let checksum: string
  let text: string
  try {
    checksum = decoder.decode(bytes.subarray(0, 9))
    text = decoder.decode(bytes.subarray(9))
  } catch {
    return damaged('is not UTF-8')
  }
  if (!/^[0-9a-f]{8} $/.test(checksum)) return damaged('has no checksum')
  if (Number.parseInt(checksum, 16) !== digest.crc32(text)) return damaged('does not match its checksum')
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? { number, value } : damaged('is not a JSON object')
  } catch {
    return damaged('is not JSON')
  }
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
