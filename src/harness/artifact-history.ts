import { createDigest } from '../adapters/node/index.ts'
import { artifactVersions } from '../trace/index.ts'
import type { EarlierArtifact, OriginalFiles, WorkflowEvent } from '../trace/index.ts'
import type { Project } from './contract.ts'
import { templateFilesOf } from './project.ts'
import type { SessionDisk } from './session-disk.ts'

/** The contents that later ones have replaced, found again by their digests among all that was written to a name. */
export function earlierArtifacts(
  events: readonly WorkflowEvent[],
  disk: Pick<SessionDisk, 'contents'>,
): readonly EarlierArtifact[] {
  const versions = artifactVersions(events)
  const newest = new Map(versions.map(({ path, sha256 }) => [path, sha256]))
  const digest = createDigest()
  const known = new Map<string, ReadonlyMap<string, Uint8Array>>()
  const contentsOf = (path: string): ReadonlyMap<string, Uint8Array> => {
    const contents =
      known.get(path) ?? new Map(disk.contents(path).map((each) => [digest.sha256(each), each]))
    known.set(path, contents)
    return contents
  }
  return versions.flatMap(({ seq, path, sha256 }) => {
    const bytes = sha256 === newest.get(path) ? undefined : contentsOf(path).get(sha256)
    return bytes === undefined ? [] : [{ seq, path, bytes }]
  })
}

/** What lay at these places before the run: in the project's template, or else in the project itself. */
export function originalFiles(
  project: Project,
  paths: readonly string[],
  disk: Pick<SessionDisk, 'before'>,
): OriginalFiles {
  const template = templateFilesOf(project)
  return template === undefined
    ? { from: 'project', files: present(paths, (path) => disk.before(path)) }
    : originalsInTemplate(template, paths)
}

export function originalsInTemplate(
  template: ReadonlyMap<string, Uint8Array>,
  paths: readonly string[],
): OriginalFiles {
  return { from: 'template', files: present(paths, (path) => template.get(path)) }
}

function present(
  paths: readonly string[],
  find: (path: string) => Uint8Array | undefined,
): OriginalFiles['files'] {
  return paths.flatMap((path) => {
    const bytes = find(path)
    return bytes === undefined ? [] : [{ path, bytes }]
  })
}
