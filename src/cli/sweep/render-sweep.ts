import { faultWords } from '../../harness/index.ts'
import type { FaultSequence, Finding, SweepProgress, SweepReport } from '../../harness/index.ts'

const findingsShown = 10

/** What `faultline sweep` prints: the denominator first, then what was found. */
export function renderSweep(report: SweepReport): string {
  const { workflowId, tier, seed, shard, families, findings, corpus, agentCalls } = report
  const share = shard === undefined ? '' : `, share ${shard.index} of ${shard.of}`
  const rows = Object.entries(families).map(([family, { hit, points, scenarios, deduped }]) => [
    family,
    `${hit}/${points}`,
    String(scenarios),
    String(deduped),
    String(findings.filter(({ faults }) => faults[0]?.family === family).length),
  ])
  const shown = findings.slice(0, findingsShown).flatMap(findingLines)
  const more = findings.length - findingsShown
  return [
    `sweep of ${workflowId}: tier ${tier}, seed ${seed}${share}`,
    ...table([['family', 'points hit', 'scenarios', 'deduped', 'findings'], ...rows]),
    ...(corpus === undefined
      ? []
      : [
          `corpus: ${corpus.plans} plans, ${corpus.failing} still break something, ${corpus.obsolete} no longer fit`,
        ]),
    ...(agentCalls === undefined
      ? []
      : [
          `agents: called ${agentCalls.made} times (${agentCalls.audited} to compare), ${agentCalls.remembered} times remembered`,
        ]),
    ...shown,
    ...(more > 0 ? [`... and ${more} more findings`] : []),
  ].join('\n')
}

/** Ends the output: what the exit code says. */
export function verdictLine({ findings, complete }: SweepReport): string {
  const found =
    findings.length === 0
      ? 'nothing found'
      : `${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}`
  return complete ? found : `${found} so far: not all points were tried`
}

export function progressWords({ family, pointsDone, points, scenarios, findings }: SweepProgress): string {
  return `${family}: ${pointsDone} of ${points} points, ${scenarios} scenarios, ${findings} findings`
}

function findingLines({ faults, violations, minimised }: Finding): readonly string[] {
  return [
    '',
    ...faultLines(faults),
    ...violations.map(({ invariant, sentence }) => `    ${invariant}  ${sentence}`),
    ...(minimised === undefined || JSON.stringify(minimised.faults) === JSON.stringify(faults)
      ? []
      : ['  smallest:', ...faultLines(minimised.faults).map((line) => `  ${line}`)]),
  ]
}

function faultLines(faults: FaultSequence): readonly string[] {
  return faults.map(
    (fault, index) => `${index === 0 ? '✗' : '  then'} ${fault.family} ${faultWords(fault)} at ${fault.at}`,
  )
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  )
}
