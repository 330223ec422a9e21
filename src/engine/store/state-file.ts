import { canonicalJson, decodeStrictUtf8, isJsonObject, membersOf } from '../../core/index.ts'
import type { DigestPort } from '../../ports/index.ts'
import { migrateState, stateSchemaVersion } from '../../trace/index.ts'
import type { DecodedState, StateDocument } from '../../trace/index.ts'

/**
 * The text of `state.json`: the document in canonical JSON plus `checksum`, the SHA-256 of the canonical JSON of all the
 * rest. One line; `faultline status` shows it to people.
 */
export function encodeState(documentJson: string, digest: DigestPort): string {
  return `${documentJson.slice(0, -1)},"checksum":"${digest.sha256(documentJson)}"}\n`
}

/** Reads `state.json`; says what is wrong with it instead of throwing, since the log can stand in for it. */
export function decodeState(bytes: Uint8Array, digest: DigestPort): DecodedState {
  let text: string
  try {
    text = decodeStrictUtf8(bytes)
  } catch {
    return notJson
  }
  return decodeAsWritten(text, digest) ?? decodeLaidOut(text, digest)
}

const notJson = { problem: 'it is not valid JSON' }
const checksumAtEnd = /,"checksum":"([0-9a-f]{64})"\}\n$/
const facts = new Set(['runId', 'seq', 'saveSeq', 'schemaVersion'])

/** As it was written the text itself is canonical: what the checksum was taken of need not be read to be trusted. */
function decodeAsWritten(text: string, digest: DigestPort): DecodedState | undefined {
  const [tail, checksum] = checksumAtEnd.exec(text.slice(-100)) ?? []
  if (tail === undefined) return undefined
  const body = `${text.slice(0, -tail.length)}}`
  if (digest.sha256(body) !== checksum) return undefined
  const { runId, seq, saveSeq, schemaVersion } = membersOf(body, facts)
  if (schemaVersion !== stateSchemaVersion) return undefined
  if (typeof runId !== 'string' || typeof seq !== 'number' || typeof saveSeq !== 'number') return undefined
  return { state: { runId, seq, saveSeq, document: () => JSON.parse(body) as StateDocument } }
}

/** A file of an older version, or one that somebody has laid out anew: brought into the canonical form first. */
function decodeLaidOut(text: string, digest: DigestPort): DecodedState {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return notJson
  }
  if (!isJsonObject(value)) return { problem: 'it is not a JSON object' }
  const { checksum, ...body } = value
  if (typeof checksum !== 'string') return { problem: 'it has no checksum' }
  if (digest.sha256(canonicalJson(body)) !== checksum)
    return { problem: 'its checksum does not match its content' }
  const document = migrateState(body)
  if (document !== undefined) {
    const { runId, seq, saveSeq } = document
    return { state: { runId, seq, saveSeq, document: () => document } }
  }
  return {
    problem: `it has schema version ${JSON.stringify(body['schemaVersion'])}, and this faultline reads ${stateSchemaVersion} and older ones`,
  }
}
