import { describeStepError, oneLine, timelineMarkdown } from '../trace/index.ts'
import type { BundleSession, BundleView } from './bundle.ts'
import { manifestFile, sessionFiles } from './layout.ts'
import type { BundleError, BundleManifest, BundleReplay } from './manifest.ts'
import { focusOf, sessionStatus, snapshotStatus, type SessionStatus } from './session-status.ts'

const rowsInSummary = 12
const filesInSummary = 30

/** `summary.md`: what failed, what had happened, what was on disk, and how to make it happen again. */
export function summaryMarkdown(view: BundleView): string {
  const { manifest, sessions } = view
  const several = sessions.length > 1
  const notes = notesOf(manifest)
  const sections = [
    `# ${oneLine(titleOf(manifest))}`,
    factsOf(manifest),
    ...manifest.errors.map(errorSection),
    ...sessions.map((session, index) =>
      sessionSection(session, manifest, several ? ` of session ${index + 1}` : ''),
    ),
    ...(sessions.length === 0 ? ['It got to no session: no run was started.'] : []),
    filesSection(manifest),
    replaySection(manifest),
    ...(notes.length === 0 ? [] : [['## Notes', '', ...notes.map((note) => `- ${note}`)].join('\n')]),
  ]
  return `${sections.join('\n\n')}\n`
}

/** The failed test's full name, or what was run. */
export function titleOf(manifest: BundleManifest): string {
  if (manifest.test !== null) return manifest.test.fullName
  return manifest.run?.workflowFile ?? manifest.sessions[0]?.workflowId ?? 'run'
}

/** What else a reader should know: what was noted, and which parts nobody knows any more. */
export function notesOf({ notes, sessions }: BundleManifest): readonly string[] {
  const several = sessions.length > 1
  const unknown = sessions.flatMap((session, index) =>
    session.unknown.map(({ why }) => (several ? `Session ${index + 1}: ${why}` : why)),
  )
  return [...notes, ...unknown]
}

/** `assertion in tests/release.test.ts:12, attempt 1, seed 1`. */
export function placeOf(manifest: BundleManifest): string {
  const { test, reason, seed, partial } = manifest
  const line = test?.line == null ? '' : `:${test.line}`
  return [
    test === null ? reason : `${reason} in ${test.file}${line}`,
    ...(test === null ? [] : [`attempt ${test.attempt}`]),
    ...(seed === null ? [] : [`seed ${seed}`]),
    ...(partial ? ['partial: the process died'] : []),
  ].join(', ')
}

export function describeStatus({ status, failed, inFlight }: SessionStatus): string {
  const place = failed === null || failed.step === null ? '' : ` at ${failed.step}`
  const failure = failed === null ? '' : `${place}: ${describeStepError(failed.error)}`
  return `${status}${failure}${inFlight.length === 0 ? '' : `; in flight: ${inFlight.join(', ')}`}`
}

function factsOf(manifest: BundleManifest): string {
  const { versions, correlationIds } = manifest
  const rows = [
    placeOf(manifest),
    ...(correlationIds.length === 0 ? [] : [`correlation id ${correlationIds.join(', ')}`]),
    `faultline ${versions.faultline}, Node ${versions.node}${versions.vitest === null ? '' : `, Vitest ${versions.vitest}`}, ${versions.platform}`,
  ]
  return rows.map((row) => `- ${row}`).join('\n')
}

function errorSection(error: BundleError): string {
  return ['## Error', '', fenced(error.stack ?? `${error.name}: ${error.message}`)].join('\n')
}

function sessionSection(session: BundleSession, manifest: BundleManifest, which: string): string {
  const focus = focusOf(session.timeline, manifest.reason)
  const window = { limit: rowsInSummary, ...(focus === undefined ? {} : { around: focus }) }
  return [
    `## What happened${which}`,
    '',
    timelineMarkdown(session.timeline, window),
    '',
    ...stateLines(session, which),
    ...(session.resolvedPlan === null || session.resolvedPlan.faults.length === 0
      ? []
      : [
          `## Faults that fired${which}`,
          '',
          ...session.resolvedPlan.faults.map(
            ({ fault, at }) => `- ${fault} at \`${typeof at === 'string' ? at : JSON.stringify(at)}\``,
          ),
          '',
        ]),
  ]
    .join('\n')
    .trimEnd()
}

function stateLines(session: BundleSession, which: string): string[] {
  const { atFailure } = session.snapshots
  const lines = (title: string, status: SessionStatus): string[] => [
    `## ${title}${which}`,
    '',
    `- status: ${describeStatus(status)}`,
    `- completed: ${status.completed.join(', ') || 'no step'}`,
    '',
  ]
  return [
    ...(atFailure === null ? [] : lines('State at failure', snapshotStatus(atFailure))),
    ...lines('State at the end', sessionStatus(session.events)),
  ]
}

function filesSection(manifest: BundleManifest): string {
  const artifacts = manifest.files.filter(({ path }) => isArtifact(path))
  const others = manifest.files.filter(({ path }) => !isArtifact(path))
  const shown = [...others, ...artifacts].slice(0, filesInSummary)
  const more = manifest.files.length - shown.length
  return [
    '## Files',
    '',
    `- \`${manifestFile}\``,
    ...shown.map(({ path, sizeBytes, truncated }) => {
      const cut = truncated === null ? '' : `, cut from ${truncated.originalBytes}`
      return `- \`${path}\` (${sizeBytes} bytes${cut})`
    }),
    ...(more === 0 ? [] : [`- and ${more} more, listed in \`${manifestFile}\``]),
    ...manifest.omitted.map(
      ({ path, sizeBytes, why }) => `- left out: \`${path}\` (${sizeBytes} bytes, ${why})`,
    ),
  ].join('\n')
}

function replaySection({ replay }: BundleManifest): string {
  if (replay === null) return '## Replay\n\nThis bundle does not say how to make it happen again.'
  return ['## Replay', '', fenced(commandLine(replay))].join('\n')
}

/** Ready to be copied into a shell. */
export function commandLine({ env, command }: BundleReplay): string {
  return [...Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`), command].join(' ')
}

export function isArtifact(path: string): boolean {
  return path.replace(/^sessions\/\d+\//, '').startsWith(`${sessionFiles.artifacts}/`)
}

/** A code block that nothing inside can close. */
export function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}\n${text}\n${fence}`
}
