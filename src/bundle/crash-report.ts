import { bytesEqual } from '../core/index.ts'
import type { DigestPort } from '../ports/index.ts'
import type { DiskAtCrash, UnsyncedFile } from '../trace/index.ts'
import { utf8Text } from './bytes.ts'
import type { Redactor } from './redact.ts'

/** `disk/crash-<n>.json`: what a crash met on the disk, without contents but the text that was at stake. */
export interface CrashReport extends Pick<DiskAtCrash, 'incarnation' | 'seq' | 'outcome' | 'durable'> {
  readonly unsynced: readonly UnsyncedFileReport[]
}

export interface UnsyncedFileReport {
  readonly path: string
  /** Null where there was no such file. */
  readonly written: ContentDigest | null
  readonly durable: ContentDigest | null
  readonly left: ContentDigest | null
  readonly fate: UnsyncedFate
  /** The text that was written and not durable; null where it was no text, or nothing was added. */
  readonly atStake: AtStake | null
}

export interface ContentDigest {
  readonly sizeBytes: number
  readonly sha256: string
}

/**
 * What the crash has made of it. `kept`: as it was written. `lost`: as it was durable. `torn`: only the beginning of what was
 * written. `mixed`: anything else, such as zeros where bytes were.
 */
export type UnsyncedFate = 'kept' | 'lost' | 'torn' | 'mixed'

export interface AtStake {
  readonly text: string
  /** Where more than its beginning was at stake. */
  readonly cutFrom: number | null
}

const longestText = 4_096

export function crashReport(
  { incarnation, seq, outcome, durable, unsynced }: DiskAtCrash,
  { redact, digest }: { readonly redact: Redactor; readonly digest: DigestPort },
): CrashReport {
  const digestOf = (bytes: Uint8Array | null): ContentDigest | null =>
    bytes === null ? null : { sizeBytes: bytes.length, sha256: digest.sha256(bytes) }
  return {
    incarnation,
    seq,
    outcome,
    durable: durable.map(({ path, sizeBytes }) => ({ path: redact.text(path), sizeBytes })),
    unsynced: unsynced.map((file) => ({
      path: redact.text(file.path),
      written: digestOf(file.written),
      durable: digestOf(file.durable),
      left: digestOf(file.left),
      fate: fateOf(file),
      atStake: atStake(file, redact),
    })),
  }
}

function fateOf({ written, durable, left }: UnsyncedFile): UnsyncedFate {
  if (same(left, written)) return 'kept'
  if (same(left, durable)) return 'lost'
  const isStart = left !== null && written !== null && bytesEqual(left, written.subarray(0, left.length))
  return isStart ? 'torn' : 'mixed'
}

function same(left: Uint8Array | null, right: Uint8Array | null): boolean {
  return left === null || right === null ? left === right : bytesEqual(left, right)
}

/** Whole texts are redacted before the durable part is taken away: it could take half a secret with it. */
function atStake({ written, durable }: UnsyncedFile, redact: Redactor): AtStake | null {
  const [all, safe] = [written, durable].map((bytes) => (bytes === null ? '' : utf8Text(bytes)))
  if (all === undefined || all === '') return null
  const whole = redact.text(all)
  const known = safe === undefined ? '' : redact.text(safe)
  const text = whole.startsWith(known) ? whole.slice(known.length) : whole
  if (text === '') return null
  return { text: text.slice(0, longestText), cutFrom: text.length > longestText ? text.length : null }
}
