import type { PageArtifact } from '../content.ts'
import type { SessionData } from '../page-data.ts'
import { titled } from './detail-view.ts'
import { block, data, el, facts } from './dom.ts'
import { picker } from './picker.ts'
import { empty } from './virtual-rows.ts'

export function artifactsView({ artifacts, events }: SessionData): HTMLElement {
  if (artifacts.length === 0) return empty('The run produced no files.')
  return picker(
    'Artifacts',
    artifacts.map(({ path, sizeBytes }) => ({ title: path, note: bytes(sizeBytes) })),
    (index) => {
      const artifact = artifacts[index] as PageArtifact
      return [
        el('h2', {}, data(artifact.path)),
        facts([
          ['Size', bytes(artifact.sizeBytes)],
          ...(artifact.note === null ? [] : [['Note', artifact.note] as const]),
        ]),
        artifact.text === null
          ? empty('No text to show here.')
          : titled('Content', block(artifact.text, 'Content of the artifact')),
        titled('Written by', writers(events, artifact.path)),
      ]
    },
  )
}

/** The events that committed a file of this name, or edited it. */
function writers(events: SessionData['events'], path: string): HTMLElement {
  const found = events.filter(({ kind, body }) => {
    const records =
      kind === 'artifact_edit' ? [body['artifact']] : kind === 'step_finish' ? body['artifacts'] : []
    return Array.isArray(records) && records.some((each: { path?: string }) => each.path === path)
  })
  if (found.length === 0) return empty('No event tells.')
  return el('ul', {}, ...found.map(({ seq, text }) => el('li', {}, `#${seq} `, data(text))))
}

export function bytes(count: number): string {
  if (count < 1_024) return `${count} B`
  if (count < 1_048_576) return `${(count / 1_024).toFixed(1)} KiB`
  return `${(count / 1_048_576).toFixed(1)} MiB`
}
