import { rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import packedPackage from '../../support/packed-package.ts'
import { installedModules, rows } from './rows.ts'
import type { MatrixRow } from './rows.ts'

declare module 'vitest' {
  interface ProvidedContext {
    matrixRow: MatrixRow
  }
}

/** The packed package beside the Vitest of a row, whose Node runs what a stranger starts. */
export default function setup(project: TestProject): () => void {
  const row = rows.find(({ name }) => name === project.name)
  if (row === undefined) throw new Error(`There is no row '${project.name}' in rows.json.`)
  const remove = packedPackage(project)
  const modules = join(project.getProvidedContext().packedPackage, 'node_modules')
  rmSync(join(modules, 'vitest'))
  symlinkSync(join(installedModules(row), 'vitest'), join(modules, 'vitest'))
  symlinkSync(join(installedModules(row), 'node/bin/node'), join(modules, '.bin/node'))
  project.provide('matrixRow', row)
  return remove
}
