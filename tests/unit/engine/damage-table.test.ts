import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import type { VirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { canonicalJson, decodeUtf8, isFaultlineError, messageOf } from '../../../src/core/index.ts'
import type { AgentWorkflow } from '../../../src/engine/index.ts'
import type { Agents, FilesPort, RecoverRequest, RunView } from '../../../src/ports/index.ts'
import { damagesOf, pathOf, runFiles } from '../../support/damage.ts'
import type { Damage, RunFile, RunOnDisk } from '../../support/damage.ts'
import { damageTable } from '../../support/damage-table.ts'
import type { DamageOutcome } from '../../support/damage-table.ts'
import { engineBench } from '../../support/engine-run.ts'
import type { EngineLifeUnderTest } from '../../support/engine-run.ts'
import { readPage, repository } from '../../support/markdown.ts'

const workflow: AgentWorkflow = {
  id: 'abc',
  steps: [
    { id: 'a', agent: 'w', requires: [], creates: ['a.txt'] },
    { id: 'b', agent: 'w', requires: ['a.txt'], creates: ['b.txt'] },
    { id: 'c', agent: 'w', requires: ['b.txt'], creates: ['c.txt'] },
  ],
}

/** Agents that make their file out of the one before it, and tell of every call. */
function agents(onCall: (step: string) => void): Agents {
  return {
    async w({ step, artifacts, requires, creates }) {
      onCall(step)
      const before = requires[0] === undefined ? '' : await artifacts.readText(requires[0])
      await artifacts.write(creates[0] as string, `${before}${step}`)
      return { step }
    },
  }
}

async function runOn(files: FilesPort, onCall: (step: string) => void): Promise<string> {
  const life = engineBench(files).life(agents(onCall))
  const runId = await life.start(workflow)
  await life.runToEnd()
  await life.incarnation.close()
  return runId
}

/** What a run came to, however often it was begun. */
function resultOf(files: VirtualFiles, { state }: RunView): string {
  const steps = Object.entries(state.steps).map(([id, { status, output, artifacts }]) => [
    id,
    { status, output, artifacts },
  ])
  const made = [...files.snapshotFiles()]
    .filter(([path]) => !path.startsWith('.workflow/'))
    .map(([path, bytes]) => [path, decodeUtf8(bytes)])
  return canonicalJson({ status: state.status, steps, made })
}

interface Scene {
  /** The run as it was left, by the way in which it was. */
  readonly runs: Readonly<Record<string, RunOnDisk>>
  readonly undisturbed: string
}

/** Runs of one workflow, each beside one that has completed, and left in its second step. */
async function scene(): Promise<Scene> {
  const files = createVirtualFiles()
  const otherRunId = await runOn(files, () => {})
  const other = { files: files.fork(), runId: otherRunId }
  for (const path of ['a.txt', 'b.txt', 'c.txt']) files.perform({ op: 'remove', path })

  const failed = files.fork()
  const failedId = await runOn(failed, (step) => {
    if (step === 'b') throw new Error('not today')
  })

  const killed: Record<string, VirtualFiles> = {}
  const watched: FilesPort = {
    perform(operation) {
      if (operation.op === 'rename' && operation.to === 'b.txt')
        killed['killed while its file was placed'] = files.afterCrash('kill')
      return files.perform(operation)
    },
  }
  const runId = await runOn(watched, (step) => {
    if (step === 'b') killed['killed inside a step'] = files.afterCrash('kill')
  })
  const runs = Object.entries(killed).map(([how, left]) => [how, { files: left, runId, other }] as const)
  return {
    runs: { failed: { files: failed, runId: failedId, other }, ...Object.fromEntries(runs) },
    undisturbed: resultOf(files, await engineBench(files).reader.read(runId)),
  }
}

/** What a resume does about a damage, in words; what must never happen begins with `WRONG`. */
async function outcomeOf(
  damage: Damage,
  file: RunFile,
  run: RunOnDisk,
  request: RecoverRequest,
  goesOnRight: GoesOnRight,
): Promise<string> {
  const files = run.files.fork()
  const bench = engineBench(damage.inflict(files))
  const found = files.visibleDigest()
  const calls: string[] = []
  const life = bench.life(
    agents((step) => calls.push(step)),
    undefined,
    'the next life',
  )
  const path = pathOf(file, run.runId)
  try {
    const { runId } = await life.incarnation.recover(request)
    if (runId !== run.runId) return `WRONG: takes over run '${runId}'`
  } catch (error) {
    const unchanged = files.visibleDigest() === found
    return unchanged ? refusal(error, damage, path, run) : 'WRONG: refused, and changed something'
  }
  const resume = bench.events.find((event) => event.kind === 'workflow_resume')
  const cut = resume?.kind === 'workflow_resume' ? resume.tailCutAtSeq : undefined
  if (cut !== undefined && cut !== damage.seq) return `WRONG: says that the log is cut elsewhere`
  if (!(await goesOnRight(life, files, path, calls))) return 'WRONG: comes to something else'
  const said = [
    ...(cut === undefined ? [] : ['says at which event the log was cut']),
    ...bench.logs.map(({ message }) =>
      message.startsWith(`${path} was ignored`) ? 'warns of the file' : `WRONG: ${message}`,
    ),
  ]
  return `completes, ${said.length === 0 ? 'in silence' : said.join(' and ')}`
}

type GoesOnRight = (
  life: EngineLifeUnderTest,
  files: VirtualFiles,
  damaged: string,
  calls: readonly string[],
) => Promise<boolean>

/**
 * Whether a life that has taken a run over comes to what an undisturbed one comes to, and runs no completed step again. Lives that
 * hold the same and find the same, but for the file that is damaged and of no further use to them, go the same way.
 */
function goesOnLike(undisturbed: string): GoesOnRight {
  const known = new Map<string, boolean>()
  return async (life, files, damaged, calls) => {
    const rest = files.fork()
    rest.perform({ op: 'remove', path: damaged })
    const state = life.incarnation.state()
    const key = `${rest.visibleDigest()} ${canonicalJson(state)}`
    const before = known.get(key)
    if (before !== undefined) return before
    await life.runToEnd()
    const result = resultOf(files, await engineBench(files).reader.read(state.runId))
    const right = result === undisturbed && !calls.some((step) => state.completedSteps.includes(step))
    known.set(key, right)
    return right
  }
}

function refusal(error: unknown, { seq }: Damage, path: string, { runId }: RunOnDisk): string {
  if (!isFaultlineError(error)) return `WRONG: ${messageOf(error)}`
  const { code, message } = error
  const named = [
    ...(message.includes(path) ? ['file'] : []),
    ...(seq !== undefined && message.includes(`line ${seq + 1} (event ${seq})`) ? ['line', 'event'] : []),
    ...(code === 'RUN_NOT_FOUND' && message.includes(`'${runId}'`) ? ['the runs there are'] : []),
  ]
  return `\`${code}\`${named.length === 0 ? '' : ` with ${named.join(', ')}`}`
}

test('what becomes of a damaged run is what docs/damage.md says', { timeout: 300_000 }, async () => {
  const { runs, undisturbed } = await scene()
  const goesOnRight = goesOnLike(undisturbed)
  const outcomes: DamageOutcome[] = []
  for (const [column, run] of Object.entries(runs)) {
    for (const file of runFiles) {
      for (const request of file === 'last.json' ? [{}, { runId: run.runId }] : [{}]) {
        for (const damage of damagesOf(file, run)) {
          const shown = 'runId' in request ? `\`${file}\`, run named` : `\`${file}\``
          const outcome = await outcomeOf(damage, file, run, request, goesOnRight)
          outcomes.push({
            file: shown,
            column,
            kind: damage.kind,
            place: damage.place,
            part: damage.part,
            outcome,
          })
        }
      }
    }
  }
  const met = new Set(
    outcomes.map(({ file, kind, place, part, outcome }) => [file, kind, place, part, outcome].join(' ')),
  )
  expect([...met].filter((words) => words.includes('WRONG'))).toEqual([])
  const silent = [...met].filter((words) => words.endsWith('in silence'))
  expect(silent.filter((words) => !mayBeSilent.some((may) => may.test(words)))).toEqual([])
  const page = readPage('docs/damage.md').replace(/^\|[\s\S]*\|\n/m, () => damageTable(outcomes))
  await expect(page).toMatchFileSnapshot(join(repository, 'docs/damage.md'))
})

/** Damages after which nothing is left that could tell of them, or nothing is lost. */
const mayBeSilent = [
  /^`events\.jsonl` cut (an event between|the last commit) just before its line /,
  /^`(state|last)\.json`.* cut +line feed /,
  /^`last\.json`, run named (removed|another run's) the file /,
]

test('a last pointer from before it had a checksum vouches as it did', async () => {
  const { runs } = await scene()
  const { files, runId } = runs['failed'] as RunOnDisk
  const recover = async (seq: number): Promise<unknown> => {
    files.perform({
      op: 'write',
      path: pathOf('last.json', runId),
      data: `{"runId":"${runId}","seq":${seq}}\n`,
    })
    const bench = engineBench(files.fork())
    await bench.life(agents(() => {})).incarnation.recover({})
    return bench.logs
  }
  expect(await recover(0)).toEqual([])
  await expect(recover(99)).rejects.toThrow('the log ends although event 99 was known to be durable')
})
