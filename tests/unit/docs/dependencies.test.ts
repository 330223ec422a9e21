import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseModule } from '../../support/module-syntax.ts'
import { readPage, repository, tableRows } from '../../support/markdown.ts'

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

const { dependencies, devDependencies, peerDependencies } = JSON.parse(readPage('package.json')) as Manifest
const versions = { ...dependencies, ...devDependencies }

describe('the packages that the project depends on', () => {
  test('have exact versions, and the two of Vitest the same', () => {
    expect(Object.entries(versions).filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
    expect(versions['@vitest/runner']).toBe(versions['vitest'])
  })

  test('are explained on docs/dependencies.md, each and no other', () => {
    const explained = tableRows(readPage('docs/dependencies.md'))
      .flatMap(([names = '']) => names.split(', '))
      .filter((name) => name !== 'package' && !name.endsWith('(peer)'))
    expect(new Set(explained)).toEqual(new Set(Object.keys(versions)))
    expect(Object.keys(peerDependencies)).toEqual(['fast-check', 'vitest'])
  })

  test('include those that are imported below src, and fast-check below tests', { timeout: 60_000 }, () => {
    expect([...importedBelow('src')]).toEqual(
      expect.arrayContaining(['vitest', '@vitest/runner', 'memfs', 'zod', 'tmp-promise']),
    )
    expect([...importedBelow('tests/unit')]).toContain('fast-check')
  })
})

/** Names of all packages that modules below a folder import. */
function importedBelow(folder: string): ReadonlySet<string> {
  const files = readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
  const specifiers = files
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(repository, folder, file))
    .flatMap((file) => parseModule(file, readFileSync(file, 'utf8')).specifiers)
  return new Set(specifiers.flatMap(({ text }) => /^(@[^/]+\/)?[^./][^/]*/.exec(text ?? '')?.[0] ?? []))
}
