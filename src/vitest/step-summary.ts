import { appendFileSync } from 'node:fs'
import { fenced } from '../bundle/index.ts'

/** What the summary of a GitHub job says about the failures of a run. */
export interface JobFailures {
  /** `2 failure bundles in faultline-bundles/...`. */
  readonly title: string
  /** Folder of all bundles, as it is uploaded. */
  readonly bundles: string
  readonly failures: readonly JobFailure[]
}

export interface JobFailure {
  readonly bundle: string
  /** As in the terminal; null for one that is only named. */
  readonly block: string | null
}

/** GitHub takes a megabyte for the whole step, to which others add. */
const longestSummary = 200_000

/** Adds to the summary of the GitHub step that runs us; does nothing elsewhere. */
export function appendStepSummary(
  failures: JobFailures,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): void {
  const file = environment['GITHUB_STEP_SUMMARY']
  if (file !== undefined && file !== '') appendFileSync(file, stepSummary(failures, environment))
}

function stepSummary(
  { title, bundles, failures }: JobFailures,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const sections = failures.map(({ bundle, block }) =>
    [
      ...(block === null ? [] : [fenced(block)]),
      fenced([download(bundles, environment), `npx faultline replay ${bundle}`].join('\n')),
    ].join('\n\n'),
  )
  let length = 0
  const shown = sections.filter((section) => (length += section.length) <= longestSummary)
  const more = sections.length - shown.length
  return [`\n## Failure bundles\n`, title, ...shown, ...(more === 0 ? [] : [`and ${more} more`]), ''].join(
    '\n\n',
  )
}

/** An artifact of the run comes back as the folder that was uploaded. */
function download(bundles: string, environment: Readonly<Record<string, string | undefined>>): string {
  const { GITHUB_RUN_ID: run, GITHUB_REPOSITORY: repository, FAULTLINE_ARTIFACT: artifact } = environment
  return [
    'gh run download',
    run ?? '<run>',
    ...(repository === undefined ? [] : [`--repo ${repository}`]),
    `--name ${artifact ?? 'faultline-bundles'}`,
    `--dir ${bundles}`,
  ].join(' ')
}
