import { containedPath, joinPath } from '../core/index.ts'
import {
  artifactVersions,
  type ArtifactVersion,
  type RecordedFile,
  type SessionRecording,
  type UnknownPart,
} from '../trace/index.ts'
import type { BundlePart } from './admission.ts'
import { utf8Text } from './bytes.ts'
import { sessionFiles } from './layout.ts'
import type { Redactor } from './redact.ts'

/** Where the contents of one artifact are in the bundle. */
export interface ArtifactFiles {
  /** As it is named in the bundle. */
  readonly path: string
  /** Null where it was not there any more. */
  readonly newest: string | null
  /** What lay in its place before the run; null where nothing did. */
  readonly original: string | null
  /** Oldest first, the newest one included. */
  readonly versions: readonly ArtifactVersionFile[]
}

export interface ArtifactVersionFile extends Omit<ArtifactVersion, 'path'> {
  /** Null where its content is not known any more. */
  readonly file: string | null
}

export interface ArtifactParts {
  readonly artifacts: readonly BundlePart[]
  readonly artifactFiles: readonly ArtifactFiles[]
}

/** The artifacts of a session as files: the newest, those before, and what was there before the run. */
export function artifactParts(
  folder: string,
  { artifacts, earlierArtifacts, originals, events }: SessionRecording,
  { redact }: { readonly redact: Redactor },
): ArtifactParts {
  const parts: BundlePart[] = []
  const names = new Map<string, string>()
  const taken = new Set<string>()
  const nameOf = (path: string): string => {
    const name = names.get(path) ?? unique(redact.path(containedPath(path, 'artifact')), taken)
    names.set(path, name)
    return name
  }
  const put = ({ path, bytes }: RecordedFile, ...below: readonly string[]): string => {
    const data = redact.bytes(bytes)
    const place = joinPath(folder, ...below, nameOf(path))
    parts.push({ path: place, data, whenTooLarge: utf8Text(data) === undefined ? 'omit' : 'cut' })
    return place
  }
  const newest = new Map(artifacts.map((file) => [file.path, put(file, sessionFiles.artifacts)]))
  const earlier = new Map(
    earlierArtifacts.map((file) => [
      `${file.seq} ${file.path}`,
      put(file, sessionFiles.earlierArtifacts, String(file.seq)),
    ]),
  )
  const before = new Map(
    (originals?.files ?? []).map((file) => [file.path, put(file, sessionFiles.originals)]),
  )

  const versions = new Map<string, ArtifactVersion[]>([...newest.keys()].map((path) => [path, []]))
  for (const version of artifactVersions(events)) {
    versions.set(version.path, [...(versions.get(version.path) ?? []), version])
  }
  return {
    artifacts: parts,
    artifactFiles: [...versions].map(([path, all]) => ({
      path: nameOf(path),
      newest: newest.get(path) ?? null,
      original: before.get(path) ?? null,
      versions: all.map(({ seq, by, sizeBytes, sha256 }) => ({
        seq,
        by,
        sizeBytes,
        sha256,
        file: (sha256 === all.at(-1)?.sha256 ? newest.get(path) : earlier.get(`${seq} ${path}`)) ?? null,
      })),
    })),
  }
}

/** Says so when a content that another has replaced is not in the bundle. */
export function unknownVersions(artifactFiles: readonly ArtifactFiles[]): readonly UnknownPart[] {
  const isWhole = artifactFiles.every(({ versions }) =>
    versions.every(({ file, sha256 }) => file !== null || sha256 === versions.at(-1)?.sha256),
  )
  const why = 'What an artifact held before is known only where this process has replaced it.'
  return isWhole ? [] : [{ part: 'earlierArtifacts', why }]
}

/** Two names that differ only in a secret must not become one. */
function unique(path: string, taken: Set<string>): string {
  let free = path
  for (let count = 2; taken.has(free); count++) free = `${path}~${count}`
  taken.add(free)
  return free
}
