import { measureRatio } from './harness.mjs'
import { awaitedFunctions, definitionOf, inMemory, output } from './in-memory.mjs'

const steps = 10
const failing = 's5'

/** Fail, resume, complete: ten steps on the virtual files with the whole store protocol, against ten awaited functions. */
export async function resume() {
  const definition = await definitionOf({
    id: 'chain',
    steps: Array.from({ length: steps }, (_, index) => ({ id: `s${index}`, agent: 'worker' })),
  })

  const subject = async () => {
    const life = inMemory()
    let executions = 0
    const first = life('life-1', async ({ context }) => {
      executions++
      if (context.step === failing) throw new Error('model overloaded')
      return output
    })
    await first.start(definition)
    if ((await first.toEnd()).status !== 'failed') throw new Error('the first life must fail')
    const second = life('life-2', async () => {
      executions++
      return output
    })
    await second.recover()
    if ((await second.toEnd()).status !== 'completed' || executions !== steps + 1)
      throw new Error('the second must complete')
  }

  const { value, runs } = await measureRatio({ subject, reference: awaitedFunctions(steps) })
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
