// Compiles src into a clean dist. The compiler writes to a folder of its own, which then takes dist's place by two
// renames: a failed build leaves the old dist alone, and whoever reads dist meanwhile never finds it half written.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')
const fresh = join(root, 'node_modules/.cache', `faultline-build-${process.pid}`)
const old = `${fresh}-old`

try {
  if (compile()) {
    const main = join(fresh, 'cli/main.js')
    if (existsSync(main)) chmodSync(main, 0o755)
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
