import { measureRatio } from './harness.mjs'
import { awaitedFunctions, definitionOf, inMemory, output } from './in-memory.mjs'

const chains = [10, 100, 1_000, 10_000]
const fans = [10, 100, 1_000]
/** Steps that the subject runs in a round, whatever the size of the workflow: all rounds take about as long. */
const stepsInRound = 2_000
const rounds = 11

/** Whole runs in memory, with the store protocol on the virtual files, against as many awaited functions. */
export async function engine() {
  const figures = []
  for (const size of chains) figures.push(await ratio(`chain_ratio_${size}`, chain(size)))
  for (const size of fans) figures.push(await ratio(`fanout_ratio_${size}`, fan(size)))
  figures.push(await stepCostGrowth())
  return figures
}

async function ratio(figure, steps) {
  const runs = Math.max(1, Math.round(stepsInRound / steps.length))
  const { value } = await measureRatio({
    subject: await wholeRun(steps),
    reference: awaitedFunctions(steps.length),
    rounds,
    subjectRuns: runs,
    referenceRuns: runs * 20,
  })
  const reference = `${steps.length} awaited functions that each return a 200-byte object, serialised and parsed once`
  return { bench: 'engine', figure, value, unit: 'x', reference, runs: rounds }
}

/** A step of a run of 10,000 against a step of a run of 100: what a step costs must not grow with the run. */
async function stepCostGrowth() {
  const [small, large] = [100, 10_000]
  const { value } = await measureRatio({
    subject: await wholeRun(chain(large)),
    reference: await wholeRun(chain(small)),
    rounds,
    subjectRuns: 1,
    referenceRuns: large / small,
  })
  return {
    bench: 'engine',
    figure: 'step_cost_growth',
    value: (value * small) / large,
    unit: 'x',
    reference: `a step of a chain of ${small}`,
    runs: rounds,
  }
}

async function wholeRun(steps) {
  const definition = await definitionOf({ id: 'bench', steps })
  return async () => {
    let executions = 0
    const life = inMemory()('life-1', async () => {
      executions++
      return output
    })
    await life.start(definition)
    if ((await life.toEnd()).status !== 'completed' || executions !== steps.length)
      throw new Error('the run must complete')
  }
}

function chain(size) {
  return Array.from({ length: size }, (_, index) => ({ id: `s${index}`, agent: 'worker' }))
}

/** One step, all others at the same time, one that waits for them all. */
function fan(size) {
  const branches = Array.from({ length: size }, (_, index) => `s${index}`)
  return [
    { id: 'first', agent: 'worker', next: branches },
    ...branches.map((id) => ({ id, agent: 'worker', next: ['last'] })),
    { id: 'last', agent: 'worker' },
  ]
}
