import { formatStepKey } from '../core/index.ts'
import type { ArtifactVersion } from '../trace/index.ts'
import type { ContentName, PageText, PageVersion } from '../viewer/index.ts'
import { utf8Text } from './bytes.ts'

/** What is longer is looked at in an editor. */
const longestText = 64 * 1024

/** @param file where all of it can be looked at */
export function pageText(bytes: Uint8Array, file: string): PageText {
  const text = utf8Text(bytes)
  const isLong = text !== undefined && text.length > longestText
  return {
    text: text?.slice(0, longestText) ?? null,
    note: text === undefined ? 'not text' : isLong ? `only the beginning; whole in ${file}` : null,
  }
}

/** @param inPage the content as the page has it, if it does */
export function pageVersion(
  { seq, by, sizeBytes, sha256 }: Omit<ArtifactVersion, 'path'>,
  inPage: ContentName | undefined,
): PageVersion {
  return {
    seq,
    by: by === null ? null : formatStepKey(by),
    sizeBytes: inPage?.sizeBytes ?? sizeBytes,
    sha256: inPage?.sha256 ?? sha256,
  }
}
