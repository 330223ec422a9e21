import { expect } from 'vitest'
import { createDigest } from '../../../src/adapters/node/index.ts'
import { canonicalOutcome, judge } from '../../../src/harness/invariants/index.ts'
import type {
  CanonicalOutcome,
  Evidence,
  EndedLife,
  FileTree,
} from '../../../src/harness/invariants/index.ts'
import { jsonLines, mortalProject } from './mortal.ts'
import type { Ended, Life, Moment, MortalProject, Said } from './mortal.ts'

/** What a run was that nothing happened to. */
export interface Undisturbed {
  readonly workflow: string
  readonly life: Life
  readonly said: readonly Said[]
  readonly runId: string
  readonly outcome: CanonicalOutcome
}

export interface JudgedDeath {
  readonly moment: Moment
  /** What the killed process had said. */
  readonly said: readonly Said[]
  readonly left: FileTree
  /** What is wrong with what became of the run, in sentences. */
  readonly wrong: readonly string[]
}

export async function undisturbed(workflow: string, life: Life = 'run'): Promise<Undisturbed> {
  const project = mortalProject(workflow)
  const initialFiles = project.files()
  const { code, stdout, stderr } = await project.run(life)
  expect([code, stderr]).toEqual([0, ''])
  const runId = lastRun(project.files())
  const outcome = await canonicalOutcome({ ...evidenceOf(project, initialFiles, runId), earlierLives: [] })
  project.remove()
  return { workflow, life, said: jsonLines(stdout), runId, outcome }
}

/** Kills a run at a moment, resumes it in a new process, and judges what both have left. */
export async function judgedDeath(
  moment: Moment,
  { workflow, life, outcome }: Undisturbed,
): Promise<JudgedDeath> {
  const project = mortalProject(workflow)
  const initialFiles = project.files()
  const killed = await project.run(life, moment)
  const said = jsonLines<Said>(killed.stdout)
  const left = project.files()
  const wrong: string[] = []
  if (killed.signal !== 'SIGKILL') wrong.push(`The process did not die: ${killed.stderr}`)

  let resumed = await project.resume()
  // Nobody had been told of any event: there may be nothing to resume, and the run is started anew.
  const unheardOf = resumed.code === 2 && !said.some((line) => 'kind' in line)
  if (unheardOf) resumed = await project.run(life)
  if (!hasCompleted(resumed)) {
    return {
      moment,
      said,
      left,
      wrong: [...wrong, `The resume did not complete the run: ${JSON.stringify(resumed)}`],
    }
  }

  const runId = lastRun(project.files())
  const evidence = evidenceOf(project, initialFiles, runId)
  const { violations } = await judge({
    ...evidence,
    earlierLives: unheardOf ? [] : [endedLife(left, runId, said)],
    executions: evidence.executions.map((execution) => ({
      ...execution,
      incarnation: Math.min(execution.incarnation, unheardOf ? 1 : 2),
    })),
    warnings: resumed.stderr.split('\n').filter((line) => line.startsWith('warning: ')),
    reference: outcome,
  })
  wrong.push(...violations.map(({ sentence }) => sentence))
  for (const step of finishedSteps(said)) {
    const calls = project.executions().filter((execution) => execution.step === step)
    if (calls.length !== 1) wrong.push(`Step '${step}' was acknowledged and ran ${calls.length} times.`)
  }
  project.remove()
  return { moment, said, left, wrong }
}

/** A run that was killed behind its end is complete, and a resume says so. */
export function hasCompleted({ code, stderr }: Ended): boolean {
  return code === 0 || /RUN_NOT_RESUMABLE.*has completed/.test(stderr)
}

export function evidenceOf(project: MortalProject, initialFiles: FileTree, runId: string): Evidence {
  return {
    runId,
    digest: createDigest(),
    clock: 'real',
    initialFiles,
    files: withoutOtherRuns(project.files(), runId),
    earlierLives: [],
    ending: { status: 'completed' },
    executions: project.executions(),
    effects: [],
    faults: [],
    errors: [],
    warnings: [],
  }
}

function endedLife(left: FileTree, runId: string, said: readonly Said[]): EndedLife {
  const log = left.get(`.workflow/runs/${runId}/events.jsonl`) ?? new Uint8Array()
  const end = said
    .flatMap((line) => ('kind' in line && line.kind === 'workflow_end' ? [line.status] : []))
    .at(-1)
  const finished = said.flatMap((line) => ('kind' in line && line.kind === 'step_finish' ? [line] : []))
  return {
    incarnation: 1,
    during: 'run',
    durableLog: log.subarray(0, log.lastIndexOf(0x0a) + 1),
    disk: left,
    told: {
      completedSteps: finished.map(({ step = '', visit = 0, seq }) => ({ step, visit, seq })),
      ...(end === 'completed' || end === 'failed' ? { status: end } : {}),
    },
  }
}

function finishedSteps(said: readonly Said[]): readonly (string | undefined)[] {
  return said.flatMap((line) => ('kind' in line && line.kind === 'step_finish' ? [line.step] : []))
}

export function lastRun(files: FileTree): string {
  const pointer = new TextDecoder().decode(files.get('.workflow/last.json'))
  return (JSON.parse(pointer) as { readonly runId: string }).runId
}

/** One whose start no caller was told of may lie there, half begun. */
function withoutOtherRuns(files: FileTree, runId: string): FileTree {
  const runs = '.workflow/runs/'
  return new Map([...files].filter(([path]) => !path.startsWith(runs) || path.startsWith(`${runs}${runId}/`)))
}
