// Compiles src into a clean dist, in which every layer is one file. Compiler and bundler write to a folder of their own, which
// then takes dist's place by two renames: a failed build leaves the old dist alone, and whoever reads dist meanwhile never
// finds it half written.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const fresh = join(root, 'node_modules/.cache', `faultline-build-${process.pid}`)
const old = `${fresh}-old`

/** What is started or imported by its own path, besides the `index.js` of each layer. */
const furtherEntries = {
  cli: ['main'],
  engine: ['store/event-log'],
  vitest: ['plugin', 'interrupted-run'],
}

try {
  if (compile()) {
    for (const layer of layersIn(fresh)) await bundle(layer)
    chmodSync(join(fresh, 'cli/main.js'), 0o755)
    takePlace()
  } else {
    process.exitCode = 1
  }
} finally {
  rmSync(fresh, { recursive: true, force: true })
  rmSync(old, { recursive: true, force: true })
}

function compile() {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', fresh]
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status === 0
}

/** The outermost folders that have something to import. */
function layersIn(folder, name = '') {
  if (existsSync(join(folder, 'index.js')) || Object.hasOwn(furtherEntries, name)) return [name]
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => layersIn(join(folder, entry.name), join(name, entry.name)))
}

/**
 * Puts the modules of a layer into the files that others import: loading hundreds of small ones is most of what a worker of
 * Vitest would wait for. Other layers stay files of their own, so that each exists once.
 */
async function bundle(layer) {
  // As the bundler names it, where node_modules is a link.
  const folder = realpathSync(join(fresh, layer))
  const entries = [
    ...(existsSync(join(folder, 'index.js')) ? ['index'] : []),
    ...(furtherEntries[layer] ?? []),
  ]
  const build = await rolldown({
    input: Object.fromEntries(entries.map((name) => [name, join(folder, `${name}.js`)])),
    platform: 'node',
    external: (id, importer) => importer !== undefined && !isWithin(folder, id, importer),
  })
  const compiled = readdirSync(folder, { recursive: true }).filter((path) => path.endsWith('.js'))
  // All of them side by side: some find others by their place.
  const { output } = await build.write({
    dir: folder,
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
  })
  await build.close()
  const kept = new Set(output.map(({ fileName }) => fileName))
  for (const path of compiled) if (!kept.has(path)) rmSync(join(folder, path))
}

/** Asked twice: as it is written, and as the path that it stands for. */
function isWithin(folder, id, importer) {
  if (!id.startsWith('.') && !isAbsolute(id)) return false
  return !relative(folder, resolve(dirname(importer), id)).startsWith('..')
}

/** Another build may put its dist there between the two renames; then that one is moved away too. */
function takePlace() {
  for (let attempt = 1; ; attempt++) {
    rmSync(old, { recursive: true, force: true })
    ignoring(['ENOENT'], () => renameSync(dist, old))
    if (ignoring(attempt < 10 ? ['ENOTEMPTY', 'EEXIST', 'EPERM'] : [], () => renameSync(fresh, dist))) return
  }
}

function ignoring(codes, action) {
  try {
    action()
    return true
  } catch (error) {
    if (!codes.includes(error.code)) throw error
    return false
  }
}
