import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createProject, sweepFaults } from '../dist/harness/index.js'
import { defineWorkflow } from '../dist/engine/index.js'
import { measureRatio } from './harness.mjs'

const output = {
  summary: 'The outline covers all three topics.',
  score: 0.92,
  passed: true,
  files: ['outline.md', 'notes.md'],
  tokens: { prompt: 120_400, completion: 317 },
  findings: [{ line: 12, kind: 'typography' }],
}

const agents = {
  async writer({ step, artifacts }) {
    await artifacts.write(`out/${step}.txt`, `${step}\n`)
    return output
  },
}

const chain = (length) =>
  defineWorkflow({
    id: `chain-${length}`,
    steps: Array.from({ length }, (_, index) => ({
      id: `s${index}`,
      agent: 'writer',
      creates: [`out/s${index}.txt`],
      requires: index === 0 ? [] : [`out/s${index - 1}.txt`],
    })),
  })

async function sweep(length, options = {}) {
  const report = await sweepFaults(chain(length), {
    project: await createProject({ storage: 'memory' }),
    agents,
    ...options,
  })
  if (report.findings.length > 0) throw new Error('the engine as it is must survive')
  return report
}

const scenariosOf = ({ families }) =>
  Object.values(families).reduce((sum, { scenarios }) => sum + scenarios, 0)
const faultsOf = ({ families }) =>
  Object.values(families).reduce((sum, { scenarios, deduped }) => sum + scenarios + deduped, 0)
const pointsOf = ({ families }) => Object.values(families).reduce((sum, { points }) => sum + points, 0)

const warmSweeps = 10
const rounds = 7

/**
 * What a sweep costs: a full tier judged by all invariants, on one thread. A scenario is a fault whose run
 * was judged; one that led to a world that had been tried is none.
 */
export async function sweeps() {
  for (let count = 0; count < warmSweeps; count++) await sweep(6)
  const six = []
  const long = []
  const full25 = []
  const elapsed25 = []
  for (let round = 0; round < rounds; round++) {
    six.push(await sweep(6))
    long.push(await sweep(48))
    const begun = performance.now()
    full25.push(await sweep(25))
    elapsed25.push((performance.now() - begun) / 1_000)
  }
  const perPoint = (reports) => median(reports.map((report) => report.timings.cpuMs / pointsOf(report)))
  const reference = 'nothing: processor time, the compiler and the collector of one thread included'
  return [
    {
      figure: 'scenarios_per_s',
      value: median(six.map((report) => scenariosOf(report) / (report.timings.cpuMs / 1_000))),
      unit: '/s',
      reference,
      runs: rounds,
    },
    {
      figure: 'faults_per_s',
      value: median(six.map((report) => faultsOf(report) / (report.timings.cpuMs / 1_000))),
      unit: '/s',
      reference: `${reference}; those that led to a world that had been tried included`,
      runs: rounds,
    },
    await scenarioRatio(),
    {
      figure: 'point_cost_growth',
      value: perPoint(long) / perPoint(six),
      unit: 'x',
      reference: 'the cost of a point at 6 steps; the value is that at 48',
      runs: rounds,
    },
    {
      figure: 'full_25_s',
      value: median(elapsed25),
      unit: 's',
      reference: 'nothing: as long as one waits on a machine that has nothing else to do',
      runs: rounds,
    },
    {
      figure: 'full_25_cpu_s',
      value: median(full25.map(({ timings }) => timings.cpuMs / 1_000)),
      unit: 's',
      reference,
      runs: rounds,
    },
    await heapGrowth(),
  ].map((figure) => ({ bench: 'sweep', ...figure }))
}

/** A scenario against the same six steps as plain awaited functions. */
async function scenarioRatio() {
  const scenarios = scenariosOf(await sweep(6))
  const functions = Array.from({ length: 6 }, () => async () => output)
  const { value, runs } = await measureRatio({
    subject: () => sweep(6),
    reference: async () => {
      for (const run of functions) JSON.parse(JSON.stringify(await run()))
    },
    rounds,
    subjectRuns: 1,
    referenceRuns: 20_000,
  })
  return {
    figure: 'scenario_ratio',
    value: value / scenarios,
    unit: 'x',
    reference: 'six awaited functions that each return a 200-byte object, serialised and parsed once',
    runs,
  }
}

const heapScenarios = 100_000

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

function heapUsed() {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

async function heapGrowth() {
  const tier = { families: ['crash'], recoveryCrashes: true }
  // What is kept for all sweeps together is kept from here on.
  await sweep(6, tier)
  const before = heapUsed()
  let scenarios = 0
  while (scenarios < heapScenarios) scenarios += scenariosOf(await sweep(6, tier))
  return {
    figure: 'heap_growth_mb',
    value: (heapUsed() - before) / 2 ** 20,
    unit: 'MB',
    reference: `the heap before ${heapScenarios} scenarios`,
    runs: 1,
  }
}

function median(values) {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)]
}
