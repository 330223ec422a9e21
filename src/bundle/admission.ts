import type { DigestPort } from '../ports/index.ts'
import type { BundleFile, BundleLimits, OmittedFile } from './manifest.ts'

/** A file on its way into the bundle, redacted. */
export interface BundlePart {
  readonly path: string
  readonly data: string | Uint8Array
  /** What to keep of it when it is too large: whole lines from its beginning, or nothing since a part would be unreadable. */
  readonly whenTooLarge: 'cut' | 'omit'
}

export interface AdmittedFile extends BundleFile {
  readonly bytes: Uint8Array
}

export interface Admission {
  readonly files: readonly AdmittedFile[]
  readonly omitted: readonly OmittedFile[]
}

/** Takes parts in, in order, for as long as the limits allow; says of every part that is cut or left out that it was. */
export function admit(parts: readonly BundlePart[], limits: BundleLimits, digest: DigestPort): Admission {
  const files: AdmittedFile[] = []
  const omitted: OmittedFile[] = []
  let total = 0
  for (const part of parts) {
    const whole = typeof part.data === 'string' ? encoder.encode(part.data) : part.data
    const tooLarge = whole.length > limits.fileBytes
    const bytes = tooLarge && part.whenTooLarge === 'cut' ? cutAtLine(whole, limits.fileBytes) : whole
    if (bytes.length > limits.fileBytes || total + bytes.length > limits.bundleBytes) {
      const why = bytes.length > limits.fileBytes ? 'file-limit' : 'bundle-limit'
      omitted.push({ path: part.path, sizeBytes: whole.length, why })
      continue
    }
    total += bytes.length
    files.push({
      path: part.path,
      sizeBytes: bytes.length,
      sha256: digest.sha256(bytes),
      truncated: bytes === whole ? null : { originalBytes: whole.length },
      bytes,
    })
  }
  return { files, omitted }
}

const encoder = new TextEncoder()
const lineFeed = 0x0a

/** The whole lines that fit; of a text without line breaks, the whole characters that fit. */
function cutAtLine(text: Uint8Array, limitBytes: number): Uint8Array {
  const end = limitBytes === 0 ? 0 : text.lastIndexOf(lineFeed, limitBytes - 1) + 1
  if (end > 0) return text.subarray(0, end)
  let cut = limitBytes
  while (cut > 0 && ((text[cut] as number) & 0xc0) === 0x80) cut--
  return text.subarray(0, cut)
}
