import type { ContentName, PageArtifact, PageVersion } from './content.ts'
import type { SessionData } from './page-data.ts'

/** One state of an artifact that can be looked at, or compared with. */
export interface ArtifactState extends ContentName {
  readonly title: string
}

export interface ArtifactStates {
  /** What it was before the run, then every version, then how it lies on disk if that is no version of it. */
  readonly states: readonly ArtifactState[]
  /** Position of the newest. */
  readonly newest: number
  /** Position of what the newest is first compared with; undefined where there is nothing before it. */
  readonly before: number | undefined
}

export function artifactStates(
  { newest, original, versions }: PageArtifact,
  { originals, contents }: Pick<SessionData, 'originals' | 'contents'>,
): ArtifactStates {
  const last = versions.at(-1)
  const onDisk = newest === null || newest.sha256 === last?.sha256 ? undefined : newest
  const states = [
    ...(original === null
      ? []
      : [{ ...original, title: originals === 'template' ? 'template' : 'before the run' }]),
    ...versions.map((version, index) => ({ ...version, title: versionTitle(version, index) })),
    ...(onDisk === undefined ? [] : [{ ...onDisk, title: 'on disk' }]),
  ]
  const newestAt = states.length - 1
  return {
    states,
    newest: newestAt,
    before: original === null ? earlierAt(states, contents) : 0,
  }
}

/** The last state before the newest whose content is in the page. */
function earlierAt(states: readonly ArtifactState[], contents: SessionData['contents']): number | undefined {
  const at = states.slice(0, -1).findLastIndex(({ sha256 }) => contents[sha256] !== undefined)
  return at === -1 ? undefined : at
}

/** What has become of what lay there before the run. */
export function describeOrigin(
  { newest, original, versions }: PageArtifact,
  originals: SessionData['originals'],
): string {
  if (originals === null) return 'nobody knows what was there before the run'
  const place = originals === 'template' ? 'the template' : 'the project before the run'
  if (original === null) return `new: not in ${place}`
  const now = newest ?? versions.at(-1)
  return now?.sha256 === original.sha256 ? `the same as in ${place}` : `changed: another in ${place}`
}

function versionTitle({ seq, by }: PageVersion, index: number): string {
  return `version ${index + 1}: ${by ?? 'edited'}, #${seq}`
}
