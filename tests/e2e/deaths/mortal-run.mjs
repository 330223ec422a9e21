/**
 * Runs `flow.yaml` and kills itself with SIGKILL. `before 7`: before its seventh file operation; `inside 7`: when half of what
 * that writes is written; `after 7`: when its seventh event is durable. Without arguments it lives. It says on standard
 * output what it is about to do and what is durable, each line written before it goes on.
 */
import { writeSync } from 'node:fs'
import { runWorkflowStepByStep } from 'faultline'
import { createReferenceDriver } from 'faultline/engine'
import { agents } from './faultline.agents.mjs'

const [when, at] = process.argv.slice(2)
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

const tellingObserver = (observer) => ({
  event(event) {
    const { kind, seq, step, visit, status } = event
    say({ kind, seq, step, visit, status })
    dieIf('after', ++events)
    observer.event(event)
  },
  log: (entry) => observer.log(entry),
})

const reference = createReferenceDriver()
const driver = {
  ...reference,
  incarnate: (ports) =>
    reference.incarnate({
      ...ports,
      files: mortalFiles(ports.files),
      observer: tellingObserver(ports.observer),
    }),
}

const session = await runWorkflowStepByStep('flow.yaml', {
  project: process.cwd(),
  agents,
  driver,
  clock: 'real',
})
say({ started: session.runId })
await session.runToEnd()
await session.close()
