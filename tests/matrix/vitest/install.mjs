// Installs every Vitest and Node that the matrix is run with, each pair in a folder of its own; what is there stays. With
// --check it installs nothing, and ends with code 2 when something is missing.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cache =
  process.env.FAULTLINE_MATRIX_CACHE ??
  fileURLToPath(new URL('../../../node_modules/.cache/faultline-matrix', import.meta.url))
const rows = JSON.parse(readFileSync(new URL('rows.json', import.meta.url), 'utf8'))

const missing = rows
  .map((row) => ({ ...row, folder: join(cache, `vitest-${row.vitest}-node-${row.node}`) }))
  .filter(({ folder }) => !existsSync(join(folder, 'installed')))

if (process.argv.includes('--check')) {
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(', ')
    process.stderr.write(`Not installed: ${names}. Install with: node tests/matrix/vitest/install.mjs\n`)
    process.exitCode = 2
  }
} else {
  for (const row of missing) install(row)
}

function install({ folder, vitest, node }) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const packages = [`vitest@${vitest}`, `node@${node}`]
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--save-exact', ...packages], {
    cwd: folder,
    stdio: 'inherit',
  })
  writeFileSync(join(folder, 'installed'), '')
}
