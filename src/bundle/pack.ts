import { containedPath, FaultlineError, isId, joinPath, messageOf } from '../core/index.ts'
import type { DigestPort, FilesPort } from '../ports/index.ts'
import { manifestFile } from './layout.ts'
import { parseManifest } from './manifest-schema.ts'
import type { BundleManifest } from './manifest.ts'
import { readManifest } from './read.ts'

export interface UnpackedBundle {
  /** The bundle's own folder name. */
  readonly name: string
  /** By path relative to the bundle; the manifest comes last, so that a folder without one is half unpacked. */
  readonly files: ReadonlyMap<string, Uint8Array>
}

export interface UnpackLimits {
  readonly files: number
  /** All files together, unpacked. */
  readonly bytes: number
}

export const defaultUnpackLimits: UnpackLimits = { files: 10_000, bytes: 256 * 1024 * 1024 }

/** ZIP has no time zone and begins in 1980: with one fixed local time the same bundle gives the same bytes everywhere. */
const packedAt = '1980-01-01T00:00:00'

/**
 * Packs a bundle into the bytes of a ZIP: what its manifest lists and nothing else, so that replays stay at home.
 *
 * @throws FaultlineError `BUNDLE_INVALID` when a listed file is missing.
 */
export async function packBundle(files: FilesPort, folder: string, name: string): Promise<Uint8Array> {
  const manifest = await readManifest(files, folder)
  const entries: Record<string, Uint8Array> = {}
  for (const path of [...manifest.files.map((file) => file.path), manifestFile]) {
    const bytes = await files.perform({ op: 'read', path: joinPath(folder, containedPath(path)) })
    if (bytes === undefined) {
      throw new FaultlineError(
        'BUNDLE_INVALID',
        `The bundle '${folder}' is damaged: its file '${path}' is missing.`,
        {
          details: { folder, path },
        },
      )
    }
    entries[joinPath(name, path)] = bytes
  }
  const { zipSync } = await import('fflate')
  return zipSync(entries, { mtime: packedAt })
}

/**
 * Reads a packed bundle that somebody else may have made: nothing in it leaves its folder, is larger than it says, or differs
 * from what its manifest lists.
 *
 * @throws FaultlineError `BUNDLE_INVALID` or `BUNDLE_NEWER`.
 */
export async function unpackBundle(
  zip: Uint8Array,
  source: string,
  digest: DigestPort,
  limits: UnpackLimits = defaultUnpackLimits,
): Promise<UnpackedBundle> {
  const entries = await entriesOf(zip, source, limits)
  const manifestPath = [...entries.keys()].find((path) => /^[^/]+\/manifest\.json$/.test(path))
  const name = manifestPath?.split('/')[0] ?? ''
  if (!isId(name)) throw invalid(source, `it holds no '<bundle>/${manifestFile}'`)
  const manifestBytes = entries.get(`${name}/${manifestFile}`) as Uint8Array
  const manifest = await parseManifest(new TextDecoder().decode(manifestBytes), `${source}/${manifestFile}`)
  const files = listedFiles(manifest, entries, { name, source, digest })
  if (files.size + 1 !== entries.size) throw invalid(source, 'it holds files that its manifest does not list')
  return { name, files: files.set(manifestFile, manifestBytes) }
}

function listedFiles(
  manifest: BundleManifest,
  entries: ReadonlyMap<string, Uint8Array>,
  { name, source, digest }: { readonly name: string; readonly source: string; readonly digest: DigestPort },
): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>()
  for (const { path, sha256 } of manifest.files) {
    const bytes = entries.get(joinPath(name, path))
    if (bytes === undefined) throw invalid(source, `its file '${path}' is missing`)
    if (digest.sha256(bytes) !== sha256)
      throw invalid(source, `its file '${path}' is not the one that was packed`)
    files.set(path, bytes)
  }
  return files
}

async function entriesOf(
  zip: Uint8Array,
  source: string,
  limits: UnpackLimits,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const { unzipSync } = await import('fflate')
  let count = 0
  let bytes = 0
  try {
    const found = unzipSync(zip, {
      // Called before an entry is unpacked. An entry that is larger than it says is cut there, and fails its digest.
      filter({ name, originalSize }) {
        if (name.endsWith('/')) return false
        if (containedPath(name) !== name) throw invalid(source, `the path '${name}' is not in normal form`)
        count += 1
        bytes += originalSize
        if (count > limits.files) throw invalid(source, `it holds more than ${limits.files} files`)
        if (bytes > limits.bytes)
          throw invalid(source, `it is larger than ${limits.bytes} bytes when unpacked`)
        return true
      },
    })
    return new Map(Object.entries(found))
  } catch (error) {
    if (error instanceof FaultlineError) throw error
    throw invalid(source, `it cannot be unpacked: ${messageOf(error)}`, error)
  }
}

function invalid(source: string, why: string, cause?: unknown): FaultlineError {
  return new FaultlineError('BUNDLE_INVALID', `'${source}' is not a packed bundle: ${why}.`, {
    details: { source },
    ...(cause === undefined ? {} : { cause }),
  })
}
