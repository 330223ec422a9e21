import { formatTimeline, oneLine } from '../trace/index.ts'
import type { Bundle, BundleSession } from './bundle.ts'
import type { BundleManifest } from './manifest.ts'
import { failureDiff } from './failure-diff.ts'
import { focusOf, sessionStatus, snapshotStatus } from './session-status.ts'
import { commandLine, describeStatus, isArtifact, placeOf, titleOf } from './summary.ts'

const width = 79
const rowsShown = 8
const filesShown = 6

/**
 * A bundle on one screen, for terminals: no line over 79 characters but the folder and the replay command, which must
 * stay whole to be copied. Nothing is said by colour alone. No line feed at the end. A test is flaky when a later try of
 * it passed.
 */
export function renderSummary(bundle: Bundle, outcome: 'FAILED' | 'FLAKY' = 'FAILED'): string {
  const { manifest, sessions } = bundle
  const several = sessions.length > 1
  return [
    cut(`${outcome} ${oneLine(titleOf(manifest))}`),
    cut(`  ${placeOf(manifest)}`),
    ...manifest.errors.flatMap(({ name, message }) =>
      wrapped(`${name}: ${oneLine(message.split('\n\n')[0] ?? message)}`),
    ),
    ...sessions.flatMap((session, index) => sessionLines(session, manifest, several ? ` ${index + 1}` : '')),
    ...(sessions.length === 0 ? ['', '  no run was started'] : []),
    '',
    ...labelled('files', filesOf(manifest)),
    ...manifest.notes.flatMap((note) => labelled('note', oneLine(note))),
    `  bundle     ${bundle.folder}`,
    `  replay     ${manifest.replay === null ? 'not recorded' : commandLine(manifest.replay)}`,
  ].join('\n')
}

function sessionLines(session: BundleSession, manifest: BundleManifest, which: string): string[] {
  const { timeline, snapshots, events } = session
  const focus = focusOf(timeline, manifest.reason)
  const window = { width: width - 2, limit: rowsShown, ...(focus === undefined ? {} : { around: focus }) }
  const end = sessionStatus(events)
  return [
    '',
    cut(`  timeline${which} of run ${session.entry.runId}`),
    ...formatTimeline(timeline, window)
      .split('\n')
      .map((line) => `  ${line}`),
    '',
    ...(snapshots.atFailure === null
      ? []
      : [
          ...labelled('at failure', describeStatus(snapshotStatus(snapshots.atFailure))),
          ...labelled('completed', snapshotStatus(snapshots.atFailure).completed.join(', ') || 'no step'),
        ]),
    ...labelledIfAny('state diff', failureDiff(snapshots)),
    ...labelled('at the end', `${describeStatus(end)}; completed steps: ${end.completed.length}`),
  ]
}

function filesOf({ files, omitted }: BundleManifest): string {
  const artifacts = files.filter(({ path }) => isArtifact(path)).map(({ path }) => path)
  const shown = artifacts.slice(0, filesShown)
  const counts = [
    `${files.length} in the bundle`,
    ...(omitted.length === 0 ? [] : [`${omitted.length} left out for their size`]),
    artifacts.length === 0
      ? 'no artifacts'
      : `artifacts: ${shown.join(', ')}${artifacts.length > shown.length ? ' ...' : ''}`,
  ]
  return counts.join('; ')
}

function labelledIfAny(label: string, texts: readonly string[]): string[] {
  return texts.length === 0 ? [] : labelled(label, texts.join('; '))
}

const labelWidth = 13
const linesOfText = 4

function labelled(label: string, text: string): string[] {
  return wrapped(text, labelWidth).map((line, index) =>
    index === 0 ? `  ${label.padEnd(labelWidth - 2)}${line.slice(labelWidth)}` : line,
  )
}

/** Breaks at spaces, indents every line, and ends with an ellipsis after a few lines. */
function wrapped(text: string, indent = 2): string[] {
  const lines: string[] = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1) as string
    const longer = line === '' ? word : `${line} ${word}`
    if (longer.length <= width - indent || line === '') lines[lines.length - 1] = longer
    else lines.push(word)
  }
  const shown = lines.slice(0, linesOfText)
  if (lines.length > shown.length) shown[shown.length - 1] = `${shown.at(-1)} …`
  return shown.map((line) => cut(`${' '.repeat(indent)}${line}`))
}

function cut(line: string): string {
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`
}
