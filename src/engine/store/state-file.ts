import { canonicalJson, decodeStrictUtf8, isJsonObject } from '../../core/index.ts'
import type { JsonObject } from '../../core/index.ts'
import type { DigestPort } from '../../ports/index.ts'
import { migrateState, stateSchemaVersion } from '../../trace/index.ts'
import type { StateDocument } from '../../trace/index.ts'

/**
 * The text of `state.json`: the document in canonical JSON plus `checksum`, the SHA-256 of the canonical JSON of all the
 * rest. One line; `faultline status` shows it to people.
 */
export function encodeState(documentJson: string, digest: DigestPort): string {
  return `${documentJson.slice(0, -1)},"checksum":"${digest.sha256(documentJson)}"}\n`
}

export type DecodedState =
  | { readonly document: StateDocument; readonly problem?: never }
  | { readonly document?: never; readonly problem: string }

/** Reads `state.json`; says what is wrong with it instead of throwing, since the log can stand in for it. */
export function decodeState(bytes: Uint8Array, digest: DigestPort): DecodedState {
  let text: string
  let value: unknown
  try {
    text = decodeStrictUtf8(bytes)
    value = JSON.parse(text)
  } catch {
    return { problem: 'it is not valid JSON' }
  }
  if (!isJsonObject(value)) return { problem: 'it is not a JSON object' }
  const { checksum, ...body } = value
  if (typeof checksum !== 'string') return { problem: 'it has no checksum' }
  if (!matches(text, body, checksum, digest)) return { problem: 'its checksum does not match its content' }
  const document = migrateState(body)
  if (document !== undefined) return { document }
  return {
    problem: `it has schema version ${JSON.stringify(body['schemaVersion'])}, and this faultline reads ${stateSchemaVersion} and older ones`,
  }
}

/** As it was written the text itself is canonical; a file that somebody has laid out anew is brought into that form first. */
function matches(text: string, body: JsonObject, checksum: string, digest: DigestPort): boolean {
  const tail = `,"checksum":"${checksum}"}\n`
  if (text.endsWith(tail) && digest.sha256(`${text.slice(0, -tail.length)}}`) === checksum) return true
  return digest.sha256(canonicalJson(body)) === checksum
}
