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
import { measureRatio } from './harness.mjs'

const steps = 10
const failing = 's5'
/** What an agent typically returns: text, numbers, a list, nested records. Its JSON is 200 bytes long. */
const output = {
  summary: 'The outline covers all three topics.',
  score: 0.92,
  passed: true,
  files: ['outline.md', 'notes.md'],
  tokens: { prompt: 120_400, completion: 317 },
  findings: [{ line: 12, kind: 'typography' }],
}

/** Fail, resume, complete: ten steps on the virtual files with the whole store protocol, against ten awaited functions. */
export async function resume() {
  const { definition } = await loadWorkflow(
    defineWorkflow({
      id: 'chain',
      steps: Array.from({ length: steps }, (_, index) => ({ id: `s${index}`, agent: 'worker' })),
    }),
  )
  const digest = createDigest()

  const subject = async () => {
    const files = createVirtualFiles()
    const clock = createVirtualClock()
    let executions = 0
    const life = (number) => {
      const bell = createWakeBell()
      const incarnation = createReferenceDriver().incarnate({
        files,
        clock,
        digest,
        ids: createSeededIds(1),
        owner: createInventedOwner(`life-${number}`),
        observer: { event() {}, log() {} },
        wake: () => bell.ring(),
        projectFolder: undefined,
        gates: createConditionGate(),
        agents: {
          has: () => true,
          names: [],
          async invoke({ context }) {
            executions++
            if (number === 1 && context.step === failing) throw new Error('model overloaded')
            return output
          },
        },
      })
      return { incarnation, toEnd: () => runToEnd(incarnation, bell, clock) }
    }
    const first = life(1)
    await first.incarnation.start({ definition, input: null, seed: 1, correlationId: 'bench', launch: {} })
    if ((await first.toEnd()).status !== 'failed') throw new Error('the first life must fail')
    const second = life(2)
    await second.incarnation.recover({})
    if ((await second.toEnd()).status !== 'completed' || executions !== steps + 1)
      throw new Error('the second must complete')
  }

  const functions = Array.from({ length: steps }, () => async () => output)
  const reference = async () => {
    const results = []
    for (const run of functions) results.push(JSON.parse(JSON.stringify(await run())))
    if (results.length !== steps || results[0].files.length !== output.files.length)
      throw new Error('the loop must run ten functions')
  }

  const { value, runs } = await measureRatio({ subject, reference })
  return [
    {
      bench: 'resume',
      figure: 'fail_resume_ratio',
      value,
      unit: 'x',
      reference: 'ten awaited functions that each return a 200-byte object, serialised and parsed once',
      runs,
    },
  ]
}
