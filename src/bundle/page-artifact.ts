import type { PageArtifact } from '../viewer/index.ts'
import { utf8Text } from './bytes.ts'

/** What is longer is looked at in an editor. */
const longestText = 64 * 1024

/** @param file where all of it can be looked at */
export function pageArtifact(path: string, bytes: Uint8Array, file = path): PageArtifact {
  const text = utf8Text(bytes)
  const isLong = text !== undefined && text.length > longestText
  return {
    path,
    sizeBytes: bytes.length,
    text: text?.slice(0, longestText) ?? null,
    note: text === undefined ? 'not text' : isLong ? `only the beginning; whole in ${file}` : null,
  }
}
