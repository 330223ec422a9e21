import { formatDuration } from '../core/index.ts'
import type { Diagnostics, Finding, HealthCheck, ValidationReport } from '../engine/index.ts'
import type { ObservedStatus } from '../trace/index.ts'
import { terminalWidth, wrapped } from '../trace/index.ts'

/** A run as `faultline state list` shows it. */
export interface ListedRun {
  readonly runId: string
  /** Whether it is the one that commands take when none is named. */
  readonly last: boolean
  /** `damaged`: its log cannot be read; `faultline state validate` says why. */
  readonly status: ObservedStatus | 'damaged'
  readonly completedSteps: number
  readonly steps: number
  readonly startedAt: number | null
  /** When its last event happened. */
  readonly updatedAt: number | null
  readonly sizeBytes: number
}

export function renderRunList(runs: readonly ListedRun[], now: number): string {
  if (runs.length === 0) return 'No run has been started here.'
  const rows = [
    ['run', 'status', 'steps', 'last event', 'size'],
    ...runs.map(({ runId, status, completedSteps, steps, updatedAt, sizeBytes }) => [
      runId,
      status,
      updatedAt === null ? '-' : `${completedSteps}/${steps}`,
      updatedAt === null ? '-' : `${age(now - updatedAt)} ago`,
      size(sizeBytes),
    ]),
  ]
  const widths = (rows[0] as string[]).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] as string).length)),
  )
  return rows
    .map((row, index) => {
      const mark = index > 0 && runs[index - 1]?.last === true ? '*' : ' '
      const cells = row.map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] as number) : cell.padStart(widths[column] as number),
      )
      return `${mark} ${cells.join('  ')}`
    })
    .join('\n')
}

export function renderValidation({ runId, events, artifacts, findings }: ValidationReport): string {
  const problems = findings.filter(({ severity }) => severity === 'problem').length
  const checked = `${counted(events, 'event')} and ${counted(artifacts, 'artifact')}`
  const verdict =
    problems === 0 ? `good: ${checked} of ${runId}` : `${counted(problems, 'problem')} with ${runId}`
  return [...findings.map(renderFinding), verdict].join('\n')
}

export function renderDiagnostics({ runId, standing, checks }: Diagnostics): string {
  const head =
    standing === null
      ? []
      : [
          `status      ${standing.status}, ${standing.ended} of ${counted(standing.steps, 'step')} ended`,
          ...standing.current.map((step, index) => `${index === 0 ? 'in hand' : '       '}     ${step}`),
          `troubles    ${counted(standing.failedAttempts, 'failed attempt')}, ${counted(standing.recoveries, 'recovery', 'recoveries')}`,
          `last event  ${formatDuration(standing.sinceLastEventMs)} ago`,
        ]
  return [`run         ${runId}`, ...head, '', ...checks.map(renderCheck)].join('\n')
}

function renderCheck({ name, healthy, what, advice }: HealthCheck): string {
  const [first = '', ...more] = what === null ? [''] : wrapped(what, terminalWidth - 14)
  const text = [...more, ...(advice === null ? [] : wrapped(advice, terminalWidth - 14))]
  const head = `  ${healthy ? '✓' : '✗'} ${name.padEnd(10)}${first}`.trimEnd()
  return [head, ...text.map((line) => `${' '.repeat(14)}${line}`)].join('\n')
}

function renderFinding({ severity, file, line, seq, what, advice }: Finding): string {
  const place = [
    file,
    ...(line === undefined ? [] : [`line ${line}`]),
    ...(seq === undefined ? [] : [`event ${seq}`]),
  ].join(', ')
  const text = [...wrapped(what, terminalWidth - 4), ...wrapped(advice, terminalWidth - 4)]
  return [`${severity === 'problem' ? '✗' : 'i'} ${place}`, ...text.map((each) => `    ${each}`)].join('\n')
}

function age(ms: number): string {
  const minutes = Math.max(0, ms) / 60_000
  if (minutes < 1) return `${Math.floor(minutes * 60)} s`
  if (minutes < 60) return `${Math.floor(minutes)} min`
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h`
  return `${Math.floor(minutes / 1_440)} d`
}

function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`
}

function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`
}
