import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * `npm run coverage:cli`: how much of the command line the tests reach that run it in processes of its own, which the coverage of the
 * tests' own process does not see. Exits 1 below the threshold.
 */
const threshold = 90
const tests = ['cli', 'server', 'bundle', 'vitest/replay', 'vitest/swept'].map((path) => `tests/e2e/${path}`)
const dist = fileURLToPath(new URL('../dist', import.meta.url))

const folder = mkdtempSync(join(tmpdir(), 'faultline-cli-coverage-'))
try {
  const { status } = spawnSync('npx', ['vitest', 'run', '--project', 'e2e', ...tests], {
    env: { ...process.env, NODE_V8_COVERAGE: folder },
    stdio: 'inherit',
  })
  const files = coveredFiles(folder)
  const all = { lines: 0, covered: 0 }
  for (const [name, { text, reached }] of [...files].sort(([left], [right]) => (left < right ? -1 : 1))) {
    const { lines, covered } = linesOf(text, reached)
    all.lines += lines
    all.covered += covered
    process.stdout.write(`${percent({ lines, covered })}  ${name}\n`)
  }
  process.stdout.write(`${percent(all)}  of ${all.lines} lines of the command line\n`)
  const isEnough = all.lines > 0 && (100 * all.covered) / all.lines >= threshold
  if (!isEnough) process.stderr.write(`The threshold is ${threshold} %.\n`)
  process.exitCode = status === 0 && isEnough ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** The package is packed from `dist`. By path below it: the text of each file of the command line, and for each character whether any process has come there. */
function coveredFiles(from) {
  const files = new Map()
  for (const name of readdirSync(from)) {
    for (const { url, functions } of JSON.parse(readFileSync(join(from, name), 'utf8')).result) {
      const [, path] = /\/node_modules\/faultline\/dist\/(cli\/.+\.js)$/.exec(url) ?? []
      if (path === undefined) continue
      const known = files.get(path) ?? fresh(readFileSync(join(dist, path), 'utf8'))
      files.set(path, known)
      markReached(known.reached, functions)
    }
  }
  return files
}

function fresh(text) {
  return { text, reached: new Uint8Array(text.length) }
}

/** Ranges lie within one another: the innermost one says how often a character was come by. */
function markReached(reached, functions) {
  const here = new Uint8Array(reached.length)
  const ranges = functions.flatMap((each) => each.ranges)
  ranges.sort((left, right) => left.startOffset - right.startOffset || right.endOffset - left.endOffset)
  for (const { startOffset, endOffset, count } of ranges) here.fill(count > 0 ? 1 : 0, startOffset, endOffset)
  for (let index = 0; index < here.length; index++) reached[index] |= here[index]
}

/** Lines that hold more than brackets and comments; one counts as covered when any of it was reached. */
function linesOf(text, reached) {
  let [lines, covered, offset] = [0, 0, 0]
  for (const line of text.split('\n')) {
    if (/\w/.test(line) && !/^\s*(?:\/\/|\/?\*)/.test(line)) {
      lines++
      const from = offset + line.search(/\S/)
      if (reached.subarray(from, offset + line.length).includes(1)) covered++
    }
    offset += line.length + 1
  }
  return { lines, covered }
}

function percent({ lines, covered }) {
  return `${((100 * covered) / Math.max(1, lines)).toFixed(1).padStart(5)} %`
}
