// The agents of this project. An agent reads and writes through `artifacts` only: what it writes appears in the project
// when its step completes, and nothing of a failed attempt is left behind. Waiting goes through `clock`, so that tests
// under the virtual clock wait for nothing.

/** @type {import('faultline').Agents} */
export const agents = {
  /** Reads the change notes and decides the next version. */
  async planner({ artifacts }) {
    const app = JSON.parse(await artifacts.readText('app.json'))
    const changes = []
    for (const path of await artifacts.list('changes')) {
      const [, kind, text] = /^(major|minor|patch): (.+)/.exec(await artifacts.readText(path)) ?? []
      if (kind === undefined) throw new Error(`${path} must start with 'major: ', 'minor: ' or 'patch: '`)
      changes.push({ kind, text })
    }
    const version = nextVersion(app.version, changes)
    await artifacts.write('release/plan.json', toJson({ name: app.name, version, changes }))
    return { version, changes: changes.length }
  },

  /** Looks for lines that should not be released. */
  async linter({ artifacts, clock }) {
    const findings = []
    let lines = 0
    for (const path of await artifacts.list('src')) {
      await clock.sleep(20)
      const text = (await artifacts.readText(path)).trimEnd().split('\n')
      lines += text.length
      text.forEach((line, index) => {
        if (line.length > 110) findings.push({ at: `${path}:${index + 1}`, rule: 'line-too-long' })
        if (/\bconsole\./.test(line)) findings.push({ at: `${path}:${index + 1}`, rule: 'no-console' })
      })
    }
    await artifacts.write('reports/lint.json', toJson({ lines, findings }))
    return { lines, findings: findings.length }
  },

  /** Bundles: follows the imports from the entry and puts every module before those that need it. */
  async builder({ artifacts, clock, log }) {
    const { entry } = JSON.parse(await artifacts.readText('app.json'))
    const { name, version } = JSON.parse(await artifacts.readText('release/plan.json'))
    const modules = new Map()
    const add = async (path) => {
      if (modules.has(path)) return
      modules.set(path, '')
      const source = await artifacts.readText(path)
      for (const [, imported] of source.matchAll(/^import .* from '\.\/(.+)'$/gm))
        await add(`src/${imported}`)
      modules.delete(path)
      modules.set(path, source.replace(/^import .*\n+/gm, ''))
      await clock.sleep(50)
      log(`bundled ${path}`)
    }
    await add(entry)
    const parts = [...modules].map(([path, source]) => `// ${path}\n${source}`)
    await artifacts.write('dist/app.js', [`// ${name} ${version}\n`, ...parts].join('\n'))
    return { modules: [...modules.keys()] }
  },

  /** Writes one page per source file from its doc comments, and an index. */
  async documenter({ artifacts, clock }) {
    const { name, version } = JSON.parse(await artifacts.readText('release/plan.json'))
    const index = [`# ${name} ${version}`, '']
    let functions = 0
    for (const path of await artifacts.list('src')) {
      await clock.sleep(30)
      const documented = documentedFunctions(await artifacts.readText(path))
      const page = `modules/${path.slice('src/'.length).replace(/\.js$/, '.md')}`
      const entries = documented.map(({ signature, comment }) => `## ${signature}\n\n${comment}\n`)
      await artifacts.write(`docs/api/${page}`, [`# ${path}\n`, ...entries].join('\n'))
      index.push(`- [${path}](${page}): ${documented.map((entry) => entry.name).join(', ')}`)
      functions += documented.length
    }
    await artifacts.write('docs/api/index.md', `${index.join('\n')}\n`)
    return { functions }
  },

  /** Counts which of the exported functions have a test case. */
  async tester({ artifacts, clock }) {
    const functions = exportedFunctions(await artifacts.readText('dist/app.js'))
    const cases = []
    for (const path of await artifacts.list('tests'))
      cases.push(...JSON.parse(await artifacts.readText(path)))
    await clock.sleep(10 * cases.length)
    const called = new Set(cases.map((testCase) => testCase.calls))
    const unknown = [...called].filter((name) => !functions.includes(name))
    if (unknown.length > 0) throw new Error(`tests call functions that do not exist: ${unknown.join(', ')}`)
    const untested = functions.filter((name) => !called.has(name))
    const coverage = percent(functions.length - untested.length, functions.length)
    await artifacts.write('reports/tests.json', toJson({ cases: cases.length, coverage, untested }))
    return { cases: cases.length, coverage }
  },

  /** Scores style, documentation and tests, each from 0 to 100. */
  async reviewer({ artifacts, thresholds }) {
    const lint = JSON.parse(await artifacts.readText('reports/lint.json'))
    const tests = JSON.parse(await artifacts.readText('reports/tests.json'))
    const functions = exportedFunctions(await artifacts.readText('dist/app.js'))
    const pages = []
    for (const path of await artifacts.list('docs/api')) pages.push(await artifacts.readText(path))
    const documented = functions.filter((name) => pages.some((page) => page.includes(`## ${name}(`)))
    const style = Math.max(0, 100 - 10 * lint.findings.length)
    const documentation = percent(documented.length, functions.length)
    const overall = Math.round((style + documentation + tests.coverage) / 3)
    const scores = { style, documentation, overall }
    const rows = Object.entries(scores).map(
      ([name, score]) => `| ${name} | ${score} | ${thresholds[name] ?? 0} |`,
    )
    const remarks = [
      ...lint.findings.map((finding) => `- ${finding.at}: ${finding.rule}`),
      ...tests.untested.map((name) => `- ${name} has no test`),
    ]
    await artifacts.write(
      'reports/review.md',
      ['# Review', '', '| score | is | at least |', '| --- | --- | --- |', ...rows, '', ...remarks, ''].join(
        '\n',
      ),
    )
    return { scores, remarks: remarks.length }
  },

  /** Copies what is shipped into one folder, with a list of it. */
  async packager({ artifacts }) {
    const { name, version } = JSON.parse(await artifacts.readText('release/plan.json'))
    const files = []
    for (const path of ['dist/app.js', ...(await artifacts.list('docs/api'))]) {
      const bytes = await artifacts.read(path)
      await artifacts.write(`release/package/${path}`, bytes)
      files.push({ path, sizeBytes: bytes.length })
    }
    await artifacts.write('release/package/manifest.json', toJson({ name, version, files }))
    return { files: files.length }
  },

  /** Tells the world. A repeated attempt tells it again under the same key, so that the receiver can drop what it knows. */
  async announcer({ artifacts, effect, log }) {
    const { name, version, changes } = JSON.parse(await artifacts.readText('release/plan.json'))
    const { files } = JSON.parse(await artifacts.readText('release/package/manifest.json'))
    const rows = changes.map((change) => `- ${change.text}`)
    const text = `# ${name} ${version}\n\n${rows.join('\n')}\n\n${files.length} files.\n`
    await artifacts.write('release/announcement.md', text)
    const receipt = await effect('announce', (idempotencyKey) => {
      log(`announcing ${name} ${version} (${idempotencyKey})`)
      return `announced ${name} ${version}`
    })
    return { receipt }
  },
}

function nextVersion(version, changes) {
  const [major, minor, patch] = version.split('.').map(Number)
  if (changes.some((change) => change.kind === 'major')) return `${major + 1}.0.0`
  if (changes.some((change) => change.kind === 'minor')) return `${major}.${minor + 1}.0`
  return `${major}.${minor}.${patch + 1}`
}

function exportedFunctions(source) {
  return [...source.matchAll(/^export function (\w+)/gm)].map((match) => match[1])
}

function documentedFunctions(source) {
  const found = source.matchAll(/^\/\*\* (.+) \*\/\nexport function ((\w+)\(.*?\))/gm)
  return [...found].map(([, comment, signature, name]) => ({ name, signature, comment }))
}

function percent(part, whole) {
  return whole === 0 ? 0 : Math.round((100 * part) / whole)
}

function toJson(value) {
  return `${JSON.stringify(value, null, 2)}\n`
}
