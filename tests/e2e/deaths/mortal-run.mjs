/**
 * Runs `flow.yaml` and kills itself with SIGKILL. `run before 7`: before its seventh file operation; `run inside 7`: when half
 * of what that writes is written; `run after 7`: when its seventh event is durable. With `recovery` in place of `run` step b
 * fails at first, and it is the operations and events from the resume on that count. `run fault '{...}'`: the fault of a
 * sweep strikes at the operation of that number: a crash kills, a disk error fails. Without a moment it lives. It says on
 * standard output what it is about to do and what is durable, each line written before it goes on.
 */
import { writeSync } from 'node:fs'
import { runWorkflowStepByStep } from 'faultline'
import { createReferenceDriver } from 'faultline/engine'
import { faultyFiles } from 'faultline/fault-injection'
import { agents } from './faultline.agents.mjs'

const [life, when, at] = process.argv.slice(2)
const fault = when === 'fault' ? JSON.parse(at) : undefined
let lives = 0
let operations = 0
let events = 0

function say(line) {
  writeSync(1, `${JSON.stringify(line)}\n`)
}

function dieIf(moment, number) {
  if (moment === when && number === Number(at)) process.kill(process.pid, 'SIGKILL')
}

function firstHalf(data) {
  const bytes = Buffer.from(data)
  return bytes.subarray(0, Math.floor(bytes.length / 2))
}

const mortalFiles = (files) => ({
  async perform(operation) {
    const number = ++operations
    const { op, path, data } = operation
    say({ op, path, writes: data !== undefined })
    dieIf('before', number)
    if (when === 'inside' && number === Number(at)) {
      await files.perform({ ...operation, data: firstHalf(data) })
      dieIf('inside', number)
    }
    return files.perform(operation)
  },
})

const writes = new Set([
  'write',
  'writeNew',
  'append',
  'fsync',
  'fsyncFolder',
  'rename',
  'remove',
  'removeFolder',
  'makeFolder',
])
let struck = false

/** What goes wrong at the operation that is now under way. */
function strikes({ op }) {
  const here = operations === fault.number
  if (here) say({ struck: fault.at })
  if (here && fault.family === 'crash') process.kill(process.pid, 'SIGKILL')
  if (here) struck = true
  if (here) return fault.fault
  return struck && fault.sticky && writes.has(op) ? { mode: 'before', error: fault.fault.error } : undefined
}

const struckFiles = (files) => (fault === undefined ? files : faultyFiles(files, strikes))

const tellingObserver = (observer, mortal) => ({
  event(event) {
    const { kind, seq, step, visit, status } = event
    say({ kind, seq, step, visit, status })
    if (mortal) dieIf('after', ++events)
    observer.event(event)
  },
  log: (entry) => observer.log(entry),
})

const reference = createReferenceDriver()
const driver = {
  ...reference,
  incarnate(ports) {
    const mortal = ++lives === (life === 'recovery' ? 2 : 1)
    return reference.incarnate({
      ...ports,
      files: mortal ? mortalFiles(struckFiles(ports.files)) : ports.files,
      observer: tellingObserver(ports.observer, mortal),
    })
  },
}

async function writer(context) {
  if (life === 'recovery' && lives === 1 && context.step === 'b') throw new Error('not today')
  return agents.writer(context)
}

const session = await runWorkflowStepByStep('flow.yaml', {
  project: process.cwd(),
  agents: { writer },
  driver,
  clock: 'real',
})
say({ started: session.runId })
await session.runToEnd()
if (life === 'recovery') {
  await session.resume()
  say({ recovered: session.runId })
  await session.runToEnd()
}
await session.close()
