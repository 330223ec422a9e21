import { canonicalJson, decodeUtf8, isJsonObject, jsonDiff } from '../../core/index.ts'
import type { JsonChange, JsonObject } from '../../core/index.ts'
import { indexOfText, sameBytes } from './byte-comparison.ts'
import type { LoggedEvent } from './event-shapes.ts'
import type { EvidenceDigest } from './evidence.ts'
import { foldLog } from './fold.ts'
import type { FoldedRun } from './fold.ts'
import type { LogReading } from './log-reading.ts'
import { isTextOf, stateOf } from './state-document.ts'

/** A `state.json` by its bytes: what it holds when its checksum holds, or what is wrong with it, to follow "state.json". */
export type StateReading = WrittenState | { readonly problem: string }

/** A state document whose checksum holds. */
class WrittenState {
  readonly problem?: never
  readonly runId: unknown
  /** The event that it ends with. */
  readonly seq: number
  /** As it was written, up to its checksum; undefined for one that somebody has laid out anew. */
  readonly #text: Uint8Array | undefined
  #body: JsonObject | undefined
  readonly #equals = new WeakSet<FoldedRun>()
  readonly #fits = new WeakSet<LogReading>()

  constructor(
    { runId, seq }: { readonly runId: unknown; readonly seq: number },
    text: Uint8Array | undefined,
    read: { readonly body: JsonObject } | { readonly equal: FoldedRun },
  ) {
    this.runId = runId
    this.seq = seq
    this.#text = text
    if ('body' in read) this.#body = read.body
    else this.#equals.add(read.equal)
  }

  /** In what it departs from what a log adds up to. How often it was saved, and in which format, the log does not say. */
  differencesFrom(log: LogReading): readonly JsonChange[] {
    if (this.#fits.has(log)) return []
    const run = foldLog(log.events, this.seq)
    const differences = run === undefined ? [] : this.#differencesFrom(run)
    if (differences.length === 0) this.#fits.add(log)
    return differences
  }

  #differencesFrom(run: FoldedRun): readonly JsonChange[] {
    if (this.#equals.has(run)) return []
    const differences = this.#text !== undefined && isTextOf(this.#text, run) ? [] : this.#compare(run)
    if (differences.length === 0) this.#equals.add(run)
    return differences
  }

  #compare(run: FoldedRun): readonly JsonChange[] {
    this.#body ??= JSON.parse(`${decoder.decode(this.#text)}}`) as JsonObject
    const { saveSeq, schemaVersion } = this.#body
    return jsonDiff({ ...stateOf(run), saveSeq, schemaVersion }, this.#body)
  }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** By the bytes themselves, which nobody writes to: forked disks share them. */
const known = new WeakMap<Uint8Array, StateReading>()

interface ReadState {
  readonly bytes: Uint8Array
  readonly state: StateReading
}

/** Those read last, newest first: runs that were forked from one another write the same snapshots. */
let lately: readonly ReadState[] = []
const mostLately = 16
const largestLately = 1_000_000

/** @param events Those of the log beside it: a document that says what they add up to need not be parsed. */
export function readState(
  bytes: Uint8Array,
  digest: EvidenceDigest,
  events: () => readonly LoggedEvent[],
): StateReading {
  const before = known.get(bytes)
  if (before !== undefined) return before
  const same = lately.find((other) => sameBytes(other.bytes, bytes))
  const state = same?.state ?? readAnew(bytes, digest, events)
  known.set(bytes, state)
  if (bytes.length <= largestLately)
    lately = [{ bytes, state }, ...lately.filter((other) => other !== same)].slice(0, mostLately)
  return state
}

function readAnew(
  bytes: Uint8Array,
  digest: EvidenceDigest,
  events: () => readonly LoggedEvent[],
): StateReading {
  const text = textAsWritten(bytes, digest)
  return (text && recognised(text, events())) ?? parseState(bytes, text, digest)
}

function recognised(text: Uint8Array, events: readonly LoggedEvent[]): WrittenState | undefined {
  const at = indexOfText(text, ',"seq":')
  const [, seq] = /^,"seq":(\d+),/.exec(decodeUtf8(text.subarray(at, at + 30))) ?? []
  const run = seq === undefined ? undefined : foldLog(events, Number(seq))
  if (run === undefined || !isTextOf(text, run)) return undefined
  return new WrittenState({ runId: run.start.runId, seq: run.seq }, text, { equal: run })
}

function parseState(bytes: Uint8Array, text: Uint8Array | undefined, digest: EvidenceDigest): StateReading {
  let value: unknown
  try {
    value = JSON.parse(decoder.decode(bytes))
  } catch {
    return { problem: 'is not JSON' }
  }
  if (!isJsonObject(value)) return { problem: 'is not a JSON object' }
  const { checksum, ...body } = value
  if (text === undefined && digest.sha256(canonicalJson(body)) !== checksum) {
    return { problem: 'does not match its checksum' }
  }
  const { seq, runId } = body
  return typeof seq === 'number'
    ? new WrittenState({ seq, runId }, text, { body })
    : { problem: 'does not say which event it ends with' }
}

/** `,"checksum":"<SHA-256 of everything else, closed by a brace>"}` and a line feed. */
const endLength = 80
const closingBrace = 0x7d

/** What stands before the checksum, if that stands last, in the only line, and holds. */
function textAsWritten(bytes: Uint8Array, { sha256 }: EvidenceDigest): Uint8Array | undefined {
  const length = bytes.length - endLength
  const end = decodeUtf8(bytes.subarray(Math.max(0, length)))
  const [, checksum] = /^,"checksum":"([0-9a-f]{64})"\}\n$/.exec(end) ?? []
  if (checksum === undefined || indexOfText(bytes, '\n') !== bytes.length - 1) return undefined
  // A copy, which `slice` of a Buffer is not.
  const closed = new Uint8Array(bytes.subarray(0, length + 1))
  closed[length] = closingBrace
  return sha256(closed) === checksum ? bytes.subarray(0, length) : undefined
}
