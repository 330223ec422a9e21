import { artifactStates, describeOrigin, type ArtifactState } from '../artifact-changes.ts'
import type { PageArtifact, PageText } from '../content.ts'
import type { SessionData } from '../page-data.ts'
import { titled } from './detail-view.ts'
import { diffView } from './diff-view.ts'
import { block, data, el, facts } from './dom.ts'
import { picker } from './picker.ts'
import { plainTable } from './plain-table.ts'
import { empty } from './virtual-rows.ts'

export function artifactsView(session: SessionData): HTMLElement {
  const { artifacts, originals } = session
  if (artifacts.length === 0) return empty('The run produced no files.')
  return picker(
    'Artifacts',
    artifacts.map((artifact) => ({ title: artifact.path, note: shortNote(artifact, originals) })),
    (index) => artifactParts(artifacts[index] as PageArtifact, session),
  )
}

function shortNote(artifact: PageArtifact, originals: SessionData['originals']): string {
  const { newest, original, versions } = artifact
  const notes = [
    newest === null ? 'gone' : bytes(newest.sizeBytes),
    ...(originals === null ? [] : [original === null ? 'new' : 'changed']),
    ...(versions.length > 1 ? [`${versions.length} versions`] : []),
  ]
  return notes.join(', ')
}

function artifactParts(artifact: PageArtifact, session: SessionData): HTMLElement[] {
  const { originals, contents } = session
  const { states, newest, before } = artifactStates(artifact, session)
  const view = el('div', { class: 'part' })
  const shown = choice('Show', states, newest)
  const base = choice('Compared with', states, before, 'nothing')
  const refresh = (): void => {
    const state = states[Number(shown.value)]
    const other = base.value === '' ? undefined : states[Number(base.value)]
    view.replaceChildren(...(state === undefined ? [] : contentOf(state, other, contents)))
  }
  for (const control of [shown, base]) control.addEventListener('change', refresh)
  refresh()
  return [
    el('h2', {}, data(artifact.path)),
    facts([
      ['Size', artifact.newest === null ? 'not there any more' : bytes(artifact.newest.sizeBytes)],
      ['Origin', describeOrigin(artifact, originals)],
    ]),
    el(
      'div',
      { class: 'compare', role: 'group', 'aria-label': 'Versions' },
      el('label', {}, el('span', {}, 'Show'), shown),
      el('label', {}, el('span', {}, 'Compared with'), base),
    ),
    view,
    titled('Versions in this run', versionsTable(artifact, session)),
  ]
}

function choice(
  label: string,
  states: readonly ArtifactState[],
  chosen: number | undefined,
  none?: string,
): HTMLSelectElement {
  const select = el(
    'select',
    { 'aria-label': label },
    ...(none === undefined ? [] : [el('option', { value: '' }, none)]),
    ...states.map(({ title }, index) => el('option', { value: String(index) }, title)),
  )
  select.value = chosen === undefined ? '' : String(chosen)
  return select
}

function contentOf(
  state: ArtifactState,
  other: ArtifactState | undefined,
  contents: SessionData['contents'],
): HTMLElement[] {
  const content = contents[state.sha256]
  if (other === undefined) {
    return [
      ...noteOf(content, state),
      ...(content?.text == null ? [] : [block(content.text, 'Content of the artifact')]),
    ]
  }
  if (state.sha256 === other.sha256) return [empty('The two are the same.')]
  const compared = contents[other.sha256]
  if (content?.text == null || compared?.text == null) {
    return [
      plainTable(
        ['', 'Size', 'SHA-256'],
        [other, state].map(({ title, sizeBytes, sha256 }) => [title, bytes(sizeBytes), sha256]),
      ),
      ...noteOf(content, state),
      ...noteOf(compared, other),
    ]
  }
  return [
    ...noteOf(content, state),
    ...noteOf(compared, other),
    diffView(compared.text, content.text, `From ${other.title} to ${state.title}`),
  ]
}

/** Why a content cannot be shown, or not all of it. */
function noteOf(content: PageText | undefined, { title }: ArtifactState): HTMLElement[] {
  const note = content === undefined ? 'its content is not in this page' : content.note
  return note === null ? [] : [el('p', { class: 'empty' }, data(`${title}: ${note}`))]
}

function versionsTable({ versions }: PageArtifact, { contents }: SessionData): HTMLElement {
  if (versions.length === 0) return empty('No event tells who wrote it.')
  return plainTable(
    ['Event', 'Made by', 'Size', 'SHA-256', 'Content'],
    versions.map(({ seq, by, sizeBytes, sha256 }) => [
      `#${seq}`,
      by ?? 'edited from outside',
      bytes(sizeBytes),
      sha256.slice(0, 12),
      contents[sha256] === undefined ? 'not kept' : 'kept',
    ]),
  )
}

export function bytes(count: number): string {
  if (count < 1_024) return `${count} B`
  if (count < 1_048_576) return `${(count / 1_024).toFixed(1)} KiB`
  return `${(count / 1_048_576).toFixed(1)} MiB`
}
