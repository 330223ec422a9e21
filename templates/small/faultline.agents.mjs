// The agents of this project. An agent reads and writes through `artifacts` only: what it writes appears in the project
// when its step completes, and nothing of a failed attempt is left behind.

/** @type {import('faultline').Agents} */
export const agents = {
  /** Decides what is released and in which order the sources go together. */
  async planner({ artifacts }) {
    const { name, version, sources } = JSON.parse(await artifacts.readText('app.json'))
    await artifacts.write('release/plan.json', toJson({ release: `${name}@${version}`, sources }))
    return { release: `${name}@${version}`, sources: sources.length }
  },

  /** Makes one file of all sources: imports between them go, everything else stays. */
  async builder({ artifacts, log }) {
    const { release, sources } = JSON.parse(await artifacts.readText('release/plan.json'))
    const parts = [`// ${release}\n`]
    for (const source of sources) {
      const text = await artifacts.readText(source)
      parts.push(text.replace(/^import .*\n+/gm, ''))
      log(`added ${source}`)
    }
    await artifacts.write('dist/app.js', parts.join('\n'))
    return { sources: sources.length }
  },

  /** Counts which of the exported functions have a test case. */
  async tester({ artifacts }) {
    const functions = exportedFunctions(await artifacts.readText('dist/app.js'))
    const cases = []
    for (const path of await artifacts.list('tests'))
      cases.push(...JSON.parse(await artifacts.readText(path)))
    const called = new Set(cases.map((testCase) => testCase.calls))
    const unknown = [...called].filter((name) => !functions.includes(name))
    if (unknown.length > 0) throw new Error(`tests call functions that do not exist: ${unknown.join(', ')}`)
    const untested = functions.filter((name) => !called.has(name))
    await artifacts.write(
      'reports/tests.json',
      toJson({ functions: functions.length, cases: cases.length, untested }),
    )
    return { cases: cases.length, untested }
  },

  /** Scores tests and documentation, each from 0 to 100. */
  async reviewer({ artifacts, thresholds }) {
    const bundle = await artifacts.readText('dist/app.js')
    const tests = JSON.parse(await artifacts.readText('reports/tests.json'))
    const functions = exportedFunctions(bundle)
    const documented = functions.filter((name) => bundle.includes(` */\nexport function ${name}(`))
    const documentation = percent(documented.length, functions.length)
    const tested = percent(tests.functions - tests.untested.length, tests.functions)
    const scores = { documentation, overall: Math.round((documentation + tested) / 2) }
    const rows = Object.entries(scores).map(
      ([name, score]) => `- ${name}: ${score} (at least ${thresholds[name] ?? 0})`,
    )
    await artifacts.write('reports/review.md', `# Review\n\n${rows.join('\n')}\n`)
    return { scores }
  },

  /** Writes down what was published. */
  async publisher({ artifacts }) {
    const { release } = JSON.parse(await artifacts.readText('release/plan.json'))
    const { length: sizeBytes } = await artifacts.read('dist/app.js')
    await artifacts.write(
      'release/manifest.json',
      toJson({ release, files: [{ path: 'dist/app.js', sizeBytes }] }),
    )
    return { published: release }
  },
}

function exportedFunctions(source) {
  return [...source.matchAll(/^export function (\w+)/gm)].map((match) => match[1])
}

function percent(part, whole) {
  return whole === 0 ? 0 : Math.round((100 * part) / whole)
}

function toJson(value) {
  return `${JSON.stringify(value, null, 2)}\n`
}
