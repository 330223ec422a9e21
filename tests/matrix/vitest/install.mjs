// Installs every Vitest and Node that the matrix is run with, each pair in a folder of its own; what is there stays.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cache =
  process.env.FAULTLINE_MATRIX_CACHE ??
  fileURLToPath(new URL('../../../node_modules/.cache/faultline-matrix', import.meta.url))
const rows = JSON.parse(readFileSync(new URL('rows.json', import.meta.url), 'utf8'))

for (const { vitest, node } of rows) {
  const folder = join(cache, `vitest-${vitest}-node-${node}`)
  if (existsSync(join(folder, 'installed'))) continue
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const packages = [`vitest@${vitest}`, `node@${node}`]
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--save-exact', ...packages], {
    cwd: folder,
    stdio: 'inherit',
  })
  writeFileSync(join(folder, 'installed'), '')
}
