import { canonicalJson, type JsonValue } from '../core/index.ts'
import type { FaultPlan, WorkflowDefinition } from '../definition/index.ts'
import type { LogEntry, WorkflowEvent, WorkflowSnapshot } from '../trace/index.ts'
import type { PageArtifact, PageContent, PageCrash, PageFact, PageSession, PageText } from './content.ts'

/** What is embedded in a page: the content without what is told twice. */
export interface PageData extends Omit<PageContent, 'sessions'> {
  readonly sessions: readonly SessionData[]
  /** What was left out of the page for its size. */
  readonly leftOut: string | null
}

export interface SessionData {
  readonly facts: readonly PageFact[]
  /** Position of the event to begin with. */
  readonly focus: number
  readonly startedAt: number
  readonly events: readonly EventData[]
  readonly snapshots: readonly SnapshotData[]
  readonly logs: readonly LogData[]
  readonly artifacts: readonly PageArtifact[]
  readonly contents: Readonly<Record<string, PageText>>
  readonly originals: PageSession['originals']
  readonly crashes: readonly PageCrash[]
  readonly plan: FaultPlan | null
  readonly resolvedPlan: FaultPlan | null
  readonly definition: WorkflowDefinition | null
  readonly input: JsonValue
}

/** A timeline row and, in `body`, what the event tells besides. */
export interface EventData {
  readonly seq: number
  readonly offsetMs: number
  readonly kind: WorkflowEvent['kind']
  readonly step: string | null
  readonly visit: number | null
  readonly attempt: number | null
  readonly status: string
  readonly text: string
  readonly body: Readonly<Record<string, unknown>>
}

export interface SnapshotData {
  readonly label: string
  readonly seq: number
  readonly status: string
  readonly state: Readonly<Record<string, unknown>>
}

export interface LogData {
  readonly offsetMs: number
  readonly level: LogEntry['level']
  readonly message: string
  readonly step: string | null
  readonly visit: number | null
  readonly attempt: number | null
}

/** How much of the content goes in, from all to what fits even into a small page. */
export type Detail = 'whole' | 'without files' | 'rows only'

const leftOut: Readonly<Record<Detail, string | null>> = {
  whole: null,
  'without files': 'The contents of artifacts are not in this page for its size: see the files beside it.',
  'rows only':
    'States, logs, contents of artifacts and what events hold are not in this page for its size: see the files beside it.',
}

export function pageData(content: PageContent, detail: Detail): PageData {
  return {
    ...content,
    sessions: content.sessions.map((session) => sessionData(session, detail)),
    leftOut: leftOut[detail],
  }
}

function sessionData(session: PageSession, detail: Detail): SessionData {
  const { events, timeline, definition } = session
  const startedAt = events[0]?.at ?? session.logs[0]?.at ?? 0
  const rowsOnly = detail === 'rows only'
  const isKnown = sameDefinition(definition)
  const focus = timeline.findIndex(({ seq }) => seq === session.focus)
  return {
    facts: session.facts,
    focus: focus < 0 ? Math.max(0, timeline.length - 1) : focus,
    startedAt,
    events: events.map((event, index): EventData => {
      const { at: _, ...row } = timeline[index] as PageSession['timeline'][number]
      return { ...row, body: rowsOnly ? routeOf(event) : bodyOf(event, isKnown) }
    }),
    snapshots: rowsOnly ? [] : session.snapshots.map((snapshot) => snapshotData(snapshot, isKnown)),
    logs: rowsOnly ? [] : session.logs.map((entry) => logData(entry, startedAt)),
    artifacts: session.artifacts,
    contents: detail === 'whole' ? session.contents : {},
    originals: session.originals,
    crashes: session.crashes.map((crash) => (rowsOnly ? withoutTexts(crash) : crash)),
    plan: session.plan,
    resolvedPlan: session.resolvedPlan,
    definition,
    input: rowsOnly ? null : session.input,
  }
}

/** The definition stands once in the page, not again in every state that goes by it. */
function sameDefinition(definition: WorkflowDefinition | null): (other: unknown) => boolean {
  const asWritten = JSON.stringify(definition)
  return (other) => JSON.stringify(other) === asWritten || canonicalJson(other) === canonicalJson(definition)
}

const envelope: ReadonlySet<string> = new Set([
  'v',
  'seq',
  'durableSeq',
  'at',
  'workflowId',
  'runId',
  'correlationId',
  'kind',
  'status',
  'step',
  'visit',
  'attempt',
])

function bodyOf(event: WorkflowEvent, isKnown: (definition: unknown) => boolean): Record<string, unknown> {
  const body: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(event)) {
    if (!envelope.has(name) && !(name === 'definition' && isKnown(value))) body[name] = value
  }
  return body
}

/** Where a gate sent the work: small, and the lanes need it. */
function routeOf(event: WorkflowEvent): Record<string, unknown> {
  return event.kind === 'gate_result' ? { route: event.route } : {}
}

function snapshotData(
  { label, seq, status, state }: WorkflowSnapshot,
  isKnown: (definition: unknown) => boolean,
): SnapshotData {
  const { definition, ...rest } = state
  return { label, seq, status, state: isKnown(definition) ? rest : { ...state } }
}

function logData(entry: LogEntry, startedAt: number): LogData {
  const { at, level, message, step = null, visit = null, attempt = null } = entry
  return { offsetMs: at - startedAt, level, message, step, visit, attempt }
}

function withoutTexts(crash: PageCrash): PageCrash {
  return { ...crash, unsynced: crash.unsynced.map((file) => ({ ...file, atStake: null })) }
}
