import type { ArtifactRecord, WorkflowEvent } from './events.ts'

/** One content that an artifact had during a run. */
export interface ArtifactVersion extends ArtifactRecord {
  /** `seq` of the event that tells of it. */
  readonly seq: number
  /** The attempt that made it; null for an edit from outside the steps. */
  readonly by: { readonly step: string; readonly visit: number; readonly attempt: number } | null
}

/** Every content of every artifact, in the order of the events; what one attempt says twice of a file counts once. */
export function artifactVersions(events: readonly WorkflowEvent[]): readonly ArtifactVersion[] {
  const versions = new Map<string, ArtifactVersion>()
  for (const event of events) {
    const by = event.kind === 'artifact_edit' ? null : attemptOf(event)
    for (const record of recordsOf(event)) {
      const place = by === null ? String(event.seq) : `${by.step}#${by.visit}@${by.attempt}`
      const key = `${place} ${record.sha256} ${record.path}`
      if (!versions.has(key)) versions.set(key, { ...record, seq: event.seq, by })
    }
  }
  return [...versions.values()]
}

function recordsOf(event: WorkflowEvent): readonly ArtifactRecord[] {
  switch (event.kind) {
    case 'step_finish':
      return event.artifacts
    case 'artifact_created':
    case 'artifact_edit':
      return [event.artifact]
    default:
      return []
  }
}

function attemptOf(event: WorkflowEvent): ArtifactVersion['by'] {
  if (!('attempt' in event)) return null
  const { step, visit, attempt } = event
  return { step, visit, attempt }
}
