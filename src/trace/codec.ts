import { decodeStrictUtf8 } from '../core/index.ts'
import { eventFormatVersion } from './events.ts'
import type { WorkflowEvent } from './events.ts'
import type { KnownLog } from './known-files.ts'

/** CRC-32 of text taken as UTF-8; handed in, so that the format stays free of effects. */
export type Crc32 = (data: string | Uint8Array) => number

/** The JSON text of an event as a line of the log: eight hexadecimal digits of its CRC-32, a space, the text, LF. */
export function encodeLine(json: string, crc32: Crc32): string {
  return `${hex8(crc32(json))} ${json}\n`
}

export interface DecodedLog {
  /** Events 0 to n of the valid prefix. */
  readonly events: readonly WorkflowEvent[]
  /** Length in bytes of the valid prefix. */
  readonly validBytes: number
  /** Why the log does not end with the valid prefix, or undefined when it does. */
  readonly end: LogDamage | undefined
}

export interface LogDamage {
  /**
   * `tail`: nothing vouches for the line, so a crash while it was written explains it. `corrupt`: a later line, or the
   * caller, knew it to be durable; or a later faultline wrote it.
   */
  readonly kind: 'tail' | 'corrupt'
  /** Counted from 1. */
  readonly line: number
  /** The sequence number that the line should have had. */
  readonly seq: number
  readonly reason: string
}

/**
 * Reads the longest valid prefix of a log.
 *
 * @param vouchedSeq highest sequence number that something outside the log (state file, last pointer) knows to be durable.
 * @param known a log whose lines need not be checked and read again where this one begins alike; it becomes this one.
 */
export function decodeLog(bytes: Uint8Array, crc32: Crc32, vouchedSeq = -1, known?: KnownLog): DecodedLog {
  known?.keepBeginningOf(bytes)
  const events = known?.events.slice() ?? []
  const knownBytes = known?.sizeBytes ?? 0
  const rest = bytes.subarray(knownBytes)
  const text = asciiOf(rest)
  let offset = 0
  let damage: string | undefined
  let newer = false
  while (offset < rest.length) {
    const parsed = lineAt(rest, offset, crc32, text)
    newer = (parsed.event?.v ?? 0) > eventFormatVersion
    const problem = parsed.problem ?? sequenceProblem(events, parsed.event as WorkflowEvent)
    if (problem !== undefined) {
      damage = problem
      break
    }
    events.push(parsed.event as WorkflowEvent)
    known?.add(parsed.event as WorkflowEvent, rest.subarray(offset, parsed.next))
    offset = parsed.next
  }
  const seq = events.length
  const validBytes = knownBytes + offset
  if (damage === undefined && vouchedSeq < seq) return { events, validBytes, end: undefined }
  const vouched = Math.max(vouchedSeq, damage === undefined ? -1 : vouchedByLaterLines(rest, offset, crc32))
  return {
    events,
    validBytes,
    end: {
      kind: vouched >= seq || newer ? 'corrupt' : 'tail',
      line: seq + 1,
      seq,
      reason: damage ?? `the log ends although event ${vouched} was known to be durable`,
    },
  }
}

interface ParsedLine {
  readonly event?: WorkflowEvent
  readonly problem?: string
  readonly next: number
}

const lineFeed = 0x0a
const space = 0x20
const openingBrace = 0x7b
/** Eight digits and a space stand before the JSON text. */
const jsonAt = 9

/** @param text All of the bytes as text, if each is a character of its own. */
function lineAt(bytes: Uint8Array, start: number, crc32: Crc32, text?: string): ParsedLine {
  const end = bytes.indexOf(lineFeed, start)
  if (end < 0) return { problem: 'the line is cut short', next: bytes.length }
  const next = end + 1
  if (end - start < jsonAt + 2 || bytes[start + jsonAt - 1] !== space)
    return { problem: 'the line has no checksum', next }
  try {
    const json = bytes.subarray(start + jsonAt, end)
    if (!isHex8(bytes, start, crc32(json))) return { problem: 'the checksum does not match', next }
    const line = text === undefined ? decodeStrictUtf8(json) : text.slice(start + jsonAt, end)
    return { event: JSON.parse(line) as WorkflowEvent, next }
  } catch {
    return { problem: 'the line is not valid UTF-8 JSON', next }
  }
}

/** Undefined unless all of it is ASCII: decoding a log in one go costs a fraction of decoding its lines one by one. */
function asciiOf(bytes: Uint8Array): string | undefined {
  try {
    const text = decodeStrictUtf8(bytes)
    return text.length === bytes.length ? text : undefined
  } catch {
    return undefined
  }
}

function sequenceProblem(events: readonly WorkflowEvent[], event: WorkflowEvent): string | undefined {
  if (event.v > eventFormatVersion)
    return `the line has version ${event.v}, and this faultline reads ${eventFormatVersion}`
  if (event.seq !== events.length) return `the line carries event ${event.seq}`
  const previous = events.at(-1)
  if (previous === undefined)
    return event.kind === 'workflow_start' ? undefined : 'the log does not begin with workflow_start'
  if (event.epoch < previous.epoch)
    return `epoch ${event.epoch} is older than epoch ${previous.epoch} before it`
  if (event.runId !== previous.runId) return `the line belongs to run '${event.runId}'`
  return undefined
}

/** The highest `durableSeq` of any intact line behind the damage, one included whose line feed before it is gone. */
function vouchedByLaterLines(bytes: Uint8Array, damagedAt: number, crc32: Crc32): number {
  let vouched = -1
  let offset = damagedAt
  while (offset < bytes.length) {
    const parsed = lineAt(bytes, offset, crc32)
    const event = parsed.event ?? lastLineWithin(bytes, offset, parsed.next, crc32)
    if (event !== undefined) vouched = Math.max(vouched, event.durableSeq)
    offset = parsed.next
  }
  return vouched
}

/** The intact line that stands at the end of a damaged one. */
function lastLineWithin(
  bytes: Uint8Array,
  start: number,
  end: number,
  crc32: Crc32,
): WorkflowEvent | undefined {
  for (let at = start + 1; at + jsonAt < end; at++) {
    if (bytes[at + jsonAt] !== openingBrace || bytes[at + jsonAt - 1] !== space) continue
    const { event } = lineAt(bytes, at, crc32)
    if (event !== undefined) return event
  }
  return undefined
}

const hexPairs = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'))

function hex8(value: number): string {
  const pair = (shift: number): string => hexPairs[(value >>> shift) & 0xff] as string
  return pair(24) + pair(16) + pair(8) + pair(0)
}

/** Whether the eight bytes from `start` are the lower-case digits of a value. */
function isHex8(bytes: Uint8Array, start: number, value: number): boolean {
  const digits = hex8(value)
  for (let index = 0; index < digits.length; index++) {
    if (bytes[start + index] !== digits.charCodeAt(index)) return false
  }
  return true
}
