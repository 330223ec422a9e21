import { jsonDiff, type JsonChange } from '../core/index.ts'
import type { EventData, SessionData } from './page-data.ts'

/** What the events up to one of them say about the run. */
export interface RunView {
  readonly status: string
  readonly steps: Readonly<Record<string, StepView>>
  /** Digest by path. */
  readonly artifacts: Readonly<Record<string, string>>
}

export interface StepView {
  readonly status: string
  readonly visit?: number
  readonly attempt?: number
  readonly output?: unknown
  readonly error?: unknown
}

export interface RunViewChange {
  readonly after: RunView
  readonly changes: readonly JsonChange[]
}

/** The run after the event at a position, and what that event changed. */
export function runViewAt(
  { events, definition }: Pick<SessionData, 'events' | 'definition'>,
  position: number,
): RunViewChange {
  const steps: Record<string, StepView> = Object.create(null) as Record<string, StepView>
  for (const { id } of definition?.steps ?? []) steps[id] = { status: 'pending' }
  const fold: Fold = { status: 'new', steps, artifacts: Object.create(null) as Record<string, string> }
  for (const event of events.slice(0, position)) apply(fold, event)
  const before = copyOf(fold)
  const event = events[position]
  if (event !== undefined) apply(fold, event)
  return { after: fold, changes: jsonDiff(before, fold) }
}

interface Fold {
  status: string
  readonly steps: Record<string, StepView>
  readonly artifacts: Record<string, string>
}

function copyOf({ status, steps, artifacts }: Fold): RunView {
  return { status, steps: { ...steps }, artifacts: { ...artifacts } }
}

function apply(fold: Fold, event: EventData): void {
  const { kind, step, status, body } = event
  switch (kind) {
    case 'workflow_resume':
      fold.status = status
      for (const [id, view] of Object.entries(fold.steps)) {
        if (view.status === 'running') fold.steps[id] = { ...view, status: 'interrupted' }
      }
      return
    case 'artifact_edit':
      record(fold, [body['artifact']])
      return
    case 'gate_result': {
      const looped = (body['route'] as { to?: string } | undefined)?.to === 'loop'
      if (step !== null && looped) fold.steps[step] = { ...fold.steps[step], status: 'returned' }
      return
    }
    default:
      applyByName(fold, event)
  }
}

/** What the name of a kind says of it: also kinds that this page has never heard of say whether a run or a step changed. */
function applyByName(fold: Fold, { kind, step, visit, attempt, status, body }: EventData): void {
  if (kind.startsWith('workflow_')) fold.status = status
  if (step === null || visit === null) return
  if (kind.startsWith('undo_')) fold.steps[step] = { ...fold.steps[step], status: `undo ${status}` }
  if (!kind.startsWith('step_') && !kind.endsWith('_wait')) return
  const { output, error } = body
  fold.steps[step] = {
    status,
    visit,
    ...(attempt === null ? {} : { attempt }),
    ...(output === undefined ? {} : { output }),
    ...(error === undefined ? {} : { error }),
  }
  if (kind === 'step_finish') record(fold, body['artifacts'])
}

function record(fold: Fold, artifacts: unknown): void {
  if (!Array.isArray(artifacts)) return
  for (const { path, sha256 } of artifacts as { path: string; sha256: string }[])
    fold.artifacts[path] = sha256
}
