import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createDigest, createNodeFiles } from '../dist/adapters/node/index.js'
import {
  createInventedOwner,
  createSeededIds,
  createVirtualClock,
  createVirtualFiles,
} from '../dist/adapters/virtual/index.js'
import { interpret } from '../dist/core/index.js'
import {
  createConditionGate,
  createReferenceDriver,
  createWakeBell,
  defineWorkflow,
  loadWorkflow,
  runLayout,
  runToEnd,
  storeLayout,
} from '../dist/engine/index.js'
import { EventLog } from '../dist/engine/store/event-log.js'
import { measureRatio } from './harness.mjs'

const digest = createDigest()
const bareLoop = 'one append and fsync per event, called directly, on the same disk'

/** What a step costs: on a real disk against the bare system calls, and on a long run against a short one. */
export async function durability() {
  const folder = mkdtempSync(join(dirname(dirname(fileURLToPath(import.meta.url))), '.bench-'))
  try {
    return [...(await appends(folder)), ...(await growth()), ...(await recovery())]
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Events per second over those of the bare loop: committed one by one, and those of eight parallel steps together. */
async function appends(folder) {
  const events = 160
  const line =
    `${JSON.stringify({ ...stepFinish(0), at: 0, seq: 100, workflowId: 'bench', runId: 'bench-1' })}\n`.padEnd(
      300,
    )
  let made = 0
  const reference = () => {
    const file = openSync(join(folder, `bare-${made++}.jsonl`), 'w')
    for (let count = 0; count < events; count++) {
      writeSync(file, line)
      fsyncSync(file)
    }
    closeSync(file)
  }
  /** The log of the engine, with the events of so many parallel steps in one commit. */
  const committed = (together) => async () => {
    const files = createNodeFiles(folder)
    const layout = { ...runLayout(storeLayout(), 'bench-1'), log: `log-${made++}.jsonl` }
    const identity = { workflowId: 'bench', runId: 'bench-1', correlationId: 'bench' }
    const durableFolders = new Set()
    const log = new EventLog({ layout, digest, identity, epoch: 1, length: 0, sizeBytes: 0, durableFolders })
    for (let count = 0; count < events; count++) {
      log.note(0, stepFinish(count))
      if ((count + 1) % together === 0) await interpret(log.commit(), (operation) => files.perform(operation))
    }
    await files.closeAll()
    if (log.sizeBytes < events * 200) throw new Error('the log must hold all events')
  }
  const few = { rounds: 7, subjectRuns: 2, referenceRuns: 2 }
  const single = await measureRatio({ subject: committed(1), reference, ...few })
  const grouped = await measureRatio({ subject: committed(8), reference, ...few })
  const figure = { bench: 'durability', unit: 'x', reference: bareLoop }
  return [
    { ...figure, figure: 'append_fsync_ratio', value: 1 / single.value, runs: single.runs },
    {
      ...figure,
      figure: 'group_commit_ratio',
      value: 1 / grouped.value,
      runs: grouped.runs,
    },
  ]
}

/** Cost per step at 10,000 steps over that at 100: time, bytes written, heap kept. */
async function growth() {
  const [short, long] = [await chain(100), await chain(10_000)]
  const kept = []
  const once = async (definition) => {
    const files = countingFiles()
    const run = await startedRun(definition, files)
    if ((await run.toEnd()).status !== 'completed') throw new Error('the run must complete')
    kept.push(run.incarnation)
    return files.bytesWritten()
  }
  const time = await measureRatio({
    subject: async () => {
      await once(long)
      kept.length = 0
    },
    reference: async () => {
      for (let count = 0; count < 100; count++) await once(short)
      kept.length = 0
    },
    rounds: 7,
    subjectRuns: 1,
    referenceRuns: 1,
  })
  const bytes = (await once(long)) / 10_000 / ((await once(short)) / 100)
  const heap = async (definition, times) => {
    kept.length = 0
    const before = heapUsed()
    for (let count = 0; count < times; count++) await once(definition)
    return heapUsed() - before
  }
  const many = []
  for (let count = 0; count < 7; count++) many.push((await heap(long, 1)) / (await heap(short, 100)))
  const figure = { bench: 'durability', unit: 'x', reference: 'a step of a run of 100 steps' }
  return [
    { ...figure, figure: 'step_cost_growth', value: time.value, runs: time.runs },
    { ...figure, figure: 'step_bytes_growth', value: bytes, runs: 1 },
    { ...figure, figure: 'step_heap_growth', value: many.sort((a, b) => a - b)[3], runs: 7 },
  ]
}

/** Taking over a run of 10,000 steps of which the last is missing, against reading and parsing its log. */
async function recovery() {
  const definition = await chain(10_000)
  const disk = createVirtualFiles()
  const run = await startedRun(definition, disk, 's9999')
  if ((await run.toEnd()).status !== 'failed') throw new Error('the run must fail at its last step')
  const log = [...disk.snapshotFiles().keys()].find((path) => path.endsWith('events.jsonl'))
  const subject = async () => {
    const { incarnation } = newLife(disk.fork())
    const { restarts } = await incarnation.recover({})
    if (restarts.join() !== 's9999') throw new Error('only the last step must start again')
  }
  const reference = () => {
    const text = new TextDecoder().decode(disk.fork().perform({ op: 'read', path: log }))
    const events = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line.slice(9)))
    if (events.length < 20_000) throw new Error('the log must hold every event')
  }
  const { value, runs } = await measureRatio({
    subject,
    reference,
    rounds: 7,
    subjectRuns: 2,
    referenceRuns: 2,
  })
  return [
    {
      bench: 'durability',
      figure: 'recovery_ratio',
      value,
      unit: 'x',
      reference: 'reading the log of the same run and parsing every line',
      runs,
    },
  ]
}

let lives = 0

function newLife(files, failing) {
  const clock = createVirtualClock()
  const bell = createWakeBell()
  const incarnation = createReferenceDriver().incarnate({
    files,
    clock,
    digest,
    ids: createSeededIds(++lives),
    owner: createInventedOwner(`life-${lives}`),
    observer: { event() {}, log() {} },
    wake: () => bell.ring(),
    projectFolder: undefined,
    gates: createConditionGate(),
    agents: {
      has: () => true,
      names: [],
      async invoke({ context }) {
        if (context.step === failing) throw new Error('model overloaded')
        return { step: context.step, passed: true }
      },
    },
  })
  return { incarnation, toEnd: () => runToEnd(incarnation, bell, clock) }
}

async function startedRun(definition, files, failing) {
  const life = newLife(files, failing)
  await life.incarnation.start({ definition, input: null, seed: 1, correlationId: 'bench', launch: {} })
  return life
}

/** Counts what is written. The log leaves the heap, as it does on a disk: a run never reads it. */
function countingFiles() {
  const files = createVirtualFiles()
  let bytes = 0
  return {
    perform(operation) {
      if ('data' in operation) bytes += operation.data.length
      return operation.path.endsWith('events.jsonl') ? undefined : files.perform(operation)
    },
    bytesWritten: () => bytes,
  }
}

async function chain(length) {
  const steps = Array.from({ length }, (_, index) => ({ id: `s${index}`, agent: 'worker' }))
  return (await loadWorkflow(defineWorkflow({ id: 'chain', steps }))).definition
}

function stepFinish(count) {
  return {
    kind: 'step_finish',
    status: 'completed',
    step: `s${count}`,
    visit: 1,
    attempt: 1,
    agent: 'worker',
    output: { step: `s${count}`, passed: true },
    artifacts: [],
    durationMs: 0,
  }
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

function heapUsed() {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
