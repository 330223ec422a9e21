import { canonicalJson, isJsonObject } from '../../core/index.ts'
import type { JsonObject } from '../../core/index.ts'
import type { EvidenceDigest } from './evidence.ts'

/** A `state.json` by its bytes: the body when its checksum holds, or what is wrong with it, to follow "state.json". */
export type StateReading =
  | { readonly body: JsonObject; readonly seq: number; readonly problem?: never }
  | { readonly body?: never; readonly seq?: never; readonly problem: string }

export function readState(bytes: Uint8Array, digest: EvidenceDigest): StateReading {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return { problem: 'is not JSON' }
  }
  if (!isJsonObject(value)) return { problem: 'is not a JSON object' }
  const { checksum, ...body } = value
  if (digest.sha256(canonicalJson(body)) !== checksum) return { problem: 'does not match its checksum' }
  const { seq } = body
  return typeof seq === 'number' ? { body, seq } : { problem: 'does not say which event it ends with' }
}
