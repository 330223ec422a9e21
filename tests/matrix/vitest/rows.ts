import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A Vitest and a Node that faultline promises to work with. */
export interface MatrixRow {
  readonly name: string
  readonly vitest: string
  readonly node: string
}

const cache =
  process.env['FAULTLINE_MATRIX_CACHE'] ??
  fileURLToPath(new URL('../../../node_modules/.cache/faultline-matrix', import.meta.url))

export const rows = JSON.parse(
  readFileSync(new URL('rows.json', import.meta.url), 'utf8'),
) as readonly MatrixRow[]

/** The `node_modules` in which `install.mjs` has put them. */
export function installedModules({ vitest, node }: MatrixRow): string {
  return join(cache, `vitest-${vitest}-node-${node}`, 'node_modules')
}
