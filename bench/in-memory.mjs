import { createDigest } from '../dist/adapters/node/index.js'
import {
  createInventedOwner,
  createSeededIds,
  createVirtualClock,
  createVirtualFiles,
} from '../dist/adapters/virtual/index.js'
import {
  createConditionGate,
  createReferenceDriver,
  createWakeBell,
  defineWorkflow,
  loadWorkflow,
  runToEnd,
} from '../dist/engine/index.js'

/** What an agent typically returns: text, numbers, a list, nested records. Its JSON is 200 bytes long. */
export const output = {
  summary: 'The outline covers all three topics.',
  score: 0.92,
  passed: true,
  files: ['outline.md', 'notes.md'],
  tokens: { prompt: 120_400, completion: 317 },
  findings: [{ line: 12, kind: 'typography' }],
}

const digest = createDigest()

export async function definitionOf(workflow) {
  const { definition } = await loadWorkflow(defineWorkflow(workflow))
  return definition
}

/** A virtual disk with a clock, and lives of the engine upon them, with the whole store protocol. */
export function inMemory() {
  const files = createVirtualFiles()
  const clock = createVirtualClock()
  return function life(name, invoke) {
    const bell = createWakeBell()
    const incarnation = createReferenceDriver().incarnate({
      files,
      clock,
      digest,
      ids: createSeededIds(1),
      owner: createInventedOwner(name),
      observer: { event() {}, log() {} },
      wake: () => bell.ring(),
      projectFolder: undefined,
      gates: createConditionGate(),
      agents: { has: () => true, names: [], invoke },
    })
    return {
      recover: () => incarnation.recover({}),
      start: (definition) =>
        incarnation.start({ definition, input: null, seed: 1, correlationId: 'bench', launch: {} }),
      toEnd: () => runToEnd(incarnation, bell, clock),
    }
  }
}

/** The reference: so many awaited functions that do the JSON work of a step, one after the other. */
export function awaitedFunctions(count) {
  const functions = Array.from({ length: count }, () => async () => output)
  return async () => {
    const results = []
    for (const run of functions) results.push(JSON.parse(JSON.stringify(await run())))
    if (results.length !== count || results[0].files.length !== output.files.length)
      throw new Error(`the loop must run ${count} functions`)
  }
}
