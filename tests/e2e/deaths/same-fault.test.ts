import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { fileFaultOperations } from '../../../src/fault-injection/index.ts'
import { canonicalOutcome } from '../../../src/harness/invariants/index.ts'
import { evidenceAsLeft } from '../../../src/harness/sweep/evidence-of.ts'
import type { CrashFault, DiskFault } from '../../../src/harness/sweep/report.ts'
import { chosenPoints } from '../../../src/harness/sweep/smoke-tier.ts'
import { afterEnding, isOver, toCompletion } from '../../../src/harness/sweep/later-lives.ts'
import { liveOn } from '../../../src/harness/sweep/swept-life.ts'
import type { EndedLifeOf, FaultPoint } from '../../../src/harness/sweep/life-options.ts'
import type { SweptWorkflow } from '../../../src/harness/sweep/swept-workflow.ts'
import { afterLife, freshWorld } from '../../../src/harness/sweep/swept-world.ts'
import { evidenceOf, hasCompleted, lastRun, undisturbed } from './judged-death.ts'
import { fourAtATime, jsonLines, mortalProject } from './mortal.ts'
import type { Said } from './mortal.ts'
import { pointNames, sweptWorkflow } from './simulated.ts'

const chain = `id: chain
steps:
  - { id: a, agent: writer, requires: [], creates: [out/a.txt] }
  - { id: b, agent: writer, requires: [out/a.txt], creates: [out/b.txt] }
`

/** What a run has come to, and which attempts it took. */
interface End {
  readonly outcome: unknown
  readonly attempts: readonly string[]
}

type RealFault = (CrashFault & { readonly outcome: 'kill' }) | DiskFault

const livesAllowed = 4
/** Every point, which takes some minutes, instead of a third of the first and the last of each kind. */
const everything = process.env['FAULTLINE_DEATHS'] === 'all'

test(
  'a fault of a sweep, made to happen to a real process on a real disk, comes to the same end as on the simulated one',
  { timeout: 900_000 },
  async () => {
    const workflow = await sweptWorkflow(chain)
    const points: FaultPoint[] = []
    await liveOn(workflow, freshWorld(createVirtualFiles(), 0), {
      onWrite: (point, world) => points.push({ ...point, world: world() }),
    })
    const chosen = everything ? points : chosenPoints('smoke', points).filter((_, place) => place % 3 === 0)
    const trials = chosen.flatMap((point, place) => faultsAt(point, place).map((fault) => ({ point, fault })))
    expect(trials.length).toBeGreaterThan(25)
    const reference = await undisturbed(chain)
    const names = pointNames(reference.said, reference.runId)
    const numberOf = (key: string): number =>
      names.indexOf(key.replace(/(\.workflow\/runs\/)[^/#]+/, '$1<run>')) + 1
    const ends = await fourAtATime(trials, async ({ point, fault }) => ({
      fault,
      simulated: await simulatedEnd(workflow, point, fault),
      real: await realEnd(fault, numberOf(fault.at)),
    }))
    expect(ends.filter(({ simulated, real }) => !isDeepStrictEqual(simulated, real))).toEqual([])
    expect(new Set(ends.map(({ simulated }) => JSON.stringify(simulated.outcome))).size).toBe(1)
  },
)

/** What a process can really suffer (the others are forms of power loss): at every point a kill, and one of the errors. */
function faultsAt({ name, operation }: FaultPoint, place: number): readonly RealFault[] {
  const errors: readonly Omit<DiskFault, 'family' | 'at'>[] = [
    { fault: { mode: 'before', error: 'EIO' }, sticky: false },
    { fault: { mode: 'before', error: 'EROFS' }, sticky: true },
    { fault: { mode: 'after', error: 'EIO' }, sticky: false },
    { fault: { mode: 'short', error: 'ENOSPC' }, sticky: false },
  ]
  const fitting = errors.filter(({ fault }) => fileFaultOperations[fault.mode].includes(operation))
  const error = fitting[place % fitting.length]
  return [
    { family: 'crash', at: name, outcome: 'kill' },
    ...(error === undefined ? [] : [{ family: 'disk', at: name, ...error } as const]),
  ]
}

async function simulatedEnd(workflow: SweptWorkflow, point: FaultPoint, fault: RealFault): Promise<End> {
  const ended =
    fault.family === 'crash'
      ? await toCompletion(
          workflow,
          afterLife(point.world, point.during, point.world.disk.afterCrash('kill')),
        )
      : await afterError(workflow, fault)
  const { executions } = ended.world
  return {
    outcome: await canonicalOutcome(evidenceAsLeft(workflow, ended, new Map())),
    attempts: executions.map(({ step, visit, attempt }) => `${step}#${visit}@${attempt}`),
  }
}

async function afterError(workflow: SweptWorkflow, diskFault: DiskFault): Promise<EndedLifeOf> {
  const struck = await liveOn(workflow, freshWorld(createVirtualFiles(), 0), { diskFault })
  return isOver(struck) ? struck : toCompletion(workflow, afterEnding(struck))
}

async function realEnd(fault: RealFault, number: number): Promise<End> {
  const project = mortalProject(chain)
  const initialFiles = project.files()
  const struck = await project.run('run', { when: 'fault', at: JSON.stringify({ ...fault, number }) })
  const said = jsonLines<Said>(struck.stdout)
  const isKill = fault.family === 'crash'
  expect(
    [said.filter((line) => 'struck' in line).length, isKill ? struck.signal : null],
    `${JSON.stringify(fault)} ${struck.stderr}`,
  ).toEqual([1, isKill ? 'SIGKILL' : null])
  let life = await project.resume()
  // Nobody had been told of any event: there may be nothing to resume, and the run is started anew.
  if (life.code === 2 && !said.some((line) => 'kind' in line)) life = await project.run('run')
  for (let lives = 2; !hasCompleted(life) && lives < livesAllowed; lives++) life = await project.resume()
  expect(hasCompleted(life), `${JSON.stringify(fault)} ${life.stderr}`).toBe(true)
  const { files, ...outcome } = await canonicalOutcome(
    evidenceOf(project, initialFiles, lastRun(project.files())),
  )
  const made = Object.entries(files).filter(([path]) => !initialFiles.has(path))
  const attempts = project.executions().map(({ step, visit, attempt }) => `${step}#${visit}@${attempt}`)
  project.remove()
  return { outcome: { files: Object.fromEntries(made), ...outcome }, attempts }
}
