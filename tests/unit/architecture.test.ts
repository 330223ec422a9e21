import { readFileSync, readdirSync } from 'node:fs'
import { join, sep } from 'node:path'
import { describe, expect, test } from 'vitest'
import { allowedImports } from '../support/allowed-imports.ts'
import { sleeps } from '../support/sleeps.ts'
import { checkBoundaries, checkTable, formatViolations, type BoundaryTable } from '../support/boundaries.ts'

const root = join(import.meta.dirname, '../..')

describe('the sources of faultline', () => {
  test('keep to the table of allowed imports', () => {
    expect(formatViolations(checkBoundaries(readSources(), allowedImports))).toEqual([])
  })

  test('write what a run persists in the store and nowhere else', () => {
    const writing = [...readSources()]
      .filter(([, source]) => /\bop: '(?:write|writeNew|append|rename)'/.test(source))
      .map(([file]) => file.split('/').slice(1, -1).join('/'))
    // The project, the bundle and the corpus of a sweep write files of the user's, and never a run's.
    expect(new Set(writing)).toEqual(
      new Set(['adapters/virtual', 'bundle', 'engine/store', 'harness', 'harness/sweep', 'ports']),
    )
  })

  test('are judged by a table in which imports only go down', () => {
    expect(checkTable(allowedImports)).toEqual([])
  })

  test.each([
    ['engine', 'fault-injection'],
    ['fault-injection', 'engine'],
    ['harness', 'vitest'],
    ['viewer', 'engine'],
    ['harness/invariants', 'engine'],
    ['harness/invariants', 'trace'],
  ])('keep %s from knowing %s', (folder, other) => {
    const file = `src/${folder}/some.ts`
    const up = '../'.repeat(folder.split('/').length)
    const sources = { [file]: `import '${up}${other}/index.ts'`, [`src/${other}/index.ts`]: '' }
    expect(check(sources, allowedImports)).toEqual([
      expect.stringMatching(/:1 \[folder\] .+ may not import .+/),
    ])
  })

  test('keep Vitest out of the harness', () => {
    const sources = { 'src/harness/some.ts': `import type { TestAPI } from 'vitest'` }
    expect(check(sources, allowedImports)).toEqual([
      `src/harness/some.ts:1 [package] harness may not import package 'vitest': only vitest, cli may`,
    ])
  })
})

/** Tests that may name what others could sleep with, and why. */
const aboutTime: Readonly<Record<string, readonly string[]>> = {
  // An agent with a timer of its own is waited for.
  'tests/unit/harness/session-time-and-gates.test.ts': ['setTimeout'],
  // Takes `setImmediate` of them.
  'tests/unit/adapters/node/system-owner.test.ts': ['node:timers/promises'],
  // Looks for what a definition could have left there.
  'tests/unit/engine/definitions/fuzz.test.ts': ['globalThis'],
}

describe('the tests of faultline', () => {
  test('synchronise, and never sleep', () => {
    const found = [...readSources('tests')]
      .filter(([file]) => !file.startsWith('tests/matrix/'))
      .map(([file, source]) => [file, sleeps(file, source).map((place) => place.split(' ')[1])] as const)
      .filter(([, names]) => names.length > 0)
    expect(Object.fromEntries(found)).toEqual(aboutTime)
  })

  test.each([
    'await new Promise((resolve) => setTimeout(resolve, 5))',
    'globalThis.setTimeout(go, 1)',
    'setInterval(look, 10)',
    `import { setTimeout as sleep } from 'node:timers/promises'`,
    `const { setTimeout: sleep } = await import('timers/promises')`,
    'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)',
    'await once(AbortSignal.timeout(10))',
  ])('would be told of `%s`', (source) => {
    expect(sleeps('a.test.ts', source)).toHaveLength(1)
  })

  test.each(['await new Promise((resolve) => setImmediate(resolve))', 'await clock.sleep(1_000)'])(
    'may say `%s`',
    (source) => {
      expect(sleeps('a.test.ts', source)).toEqual([])
    },
  )
})

const table: BoundaryTable = {
  folders: {
    low: { layer: 0, imports: [] },
    middle: { layer: 1, imports: ['low'] },
    beside: { layer: 1, imports: ['low'] },
    'middle/part': { layer: 1, imports: [] },
    top: { layer: 2, imports: ['low', 'middle'], machine: true },
  },
  packages: { memfs: ['middle'], '@scope/tool': ['top'] },
  sideways: [],
}

/** One violating file each, beside `src/low/index.ts`, `src/low/word.ts` and `src/top/index.ts`. */
const violating: readonly [title: string, file: string, source: string, expected: string][] = [
  [
    'an import upwards',
    'src/low/a.ts',
    `import { x } from '../top/index.ts'`,
    `1 [folder] low may not import top: it may import nothing`,
  ],
  [
    'an import sideways',
    'src/beside/a.ts',
    `\nimport { x } from '../middle/index.ts'`,
    `2 [folder] beside may not import middle: it may import only low`,
  ],
  [
    'an import of a type',
    'src/low/a.ts',
    `import type { X } from '../top/index.ts'`,
    `1 [folder] low may not import top: it may import nothing`,
  ],
  [
    'a re-export',
    'src/low/a.ts',
    `export * from '../top/index.ts'`,
    `1 [folder] low may not import top: it may import nothing`,
  ],
  [
    'a dynamic import',
    'src/low/a.ts',
    `const load = () => import('../top/index.ts')`,
    `1 [folder] low may not import top: it may import nothing`,
  ],
  [
    'a type taken by import()',
    'src/low/a.ts',
    `export type X = import('../top/index.ts').X`,
    `1 [folder] low may not import top: it may import nothing`,
  ],
  [
    'an import from a part into its whole',
    'src/middle/part/a.ts',
    `import '../index.ts'`,
    `1 [folder] middle/part may not import middle: it may import nothing`,
  ],
  [
    'an import past the index of another folder',
    'src/middle/a.ts',
    `import { word } from '../low/word.ts'`,
    `1 [index-only] middle must import low through its index.ts, not src/low/word.ts`,
  ],
  [
    'a specifier that names the emitted file',
    'src/middle/a.ts',
    `import { word } from '../low/index.js'`,
    `1 [extension] '../low/index.js' must name the file itself: write .ts`,
  ],
  [
    'a file that is not there',
    'src/middle/a.ts',
    `import { gone } from './gone.ts'`,
    `1 [missing-file] './gone.ts' is not a file of src`,
  ],
  [
    'an import out of src',
    'src/middle/a.ts',
    `import { helper } from '../../tests/support/helper.ts'`,
    `1 [outside-src] '../../tests/support/helper.ts' leaves src`,
  ],
  [
    'a package of another folder',
    'src/low/a.ts',
    `import { vol } from 'memfs'`,
    `1 [package] low may not import package 'memfs': only middle may`,
  ],
  [
    'an entry of a scoped package of another folder',
    'src/low/a.ts',
    `import { tool } from '@scope/tool/deep'`,
    `1 [package] low may not import package '@scope/tool': only top may`,
  ],
  [
    'an augmentation of a package of another folder',
    'src/low/a.ts',
    `declare module 'memfs' { interface Volume {} }`,
    `1 [package] low may not import package 'memfs': only middle may`,
  ],
  [
    'a built-in module of Node',
    'src/low/a.ts',
    `import { join } from 'node:path'`,
    `1 [node-builtin] low may not import 'node:path': only top reach the machine`,
  ],
  [
    'a built-in module under its old name',
    'src/low/a.ts',
    `import { readFileSync } from 'fs'`,
    `1 [node-builtin] low may not import 'fs': only top reach the machine`,
  ],
  [
    'a computed import',
    'src/low/a.ts',
    `export const load = (path: string) => import(path)`,
    `1 [computed-import] low may not import a computed path: which file it loads is unknown here`,
  ],
  [
    'a file in a folder without a row',
    'src/other/a.ts',
    ``,
    `1 [unknown-folder] src/other/a.ts is in no folder of the table of allowed imports; add a row for its folder`,
  ],
  [
    'a file directly in src',
    'src/a.ts',
    ``,
    `1 [unknown-folder] src/a.ts is in no folder of the table of allowed imports; add a row for its folder`,
  ],
]

describe('the boundary checker', () => {
  test.each(violating)('reports %s', (_title, file, source, expected) => {
    const around = {
      'src/low/index.ts': `export { word } from './word.ts'`,
      'src/low/word.ts': `export const word = ''`,
      'src/middle/index.ts': `export const x = 1`,
      'src/top/index.ts': `export const x = 1`,
    }
    expect(check({ ...around, [file]: source }, table)).toEqual([`${file}:${expected}`])
  })

  test('reports a source that does not parse', () => {
    expect(check({ 'src/low/a.ts': `import {` }, table)).toEqual([
      expect.stringMatching(/^src\/low\/a\.ts:1 \[syntax\] /),
    ])
  })

  test('reports a cycle between files once, by its shortest route, types included', () => {
    const sources = {
      'src/low/a.ts': `import { b } from './b.ts'`,
      'src/low/b.ts': `\nimport type { C } from './c.ts'`,
      'src/low/c.ts': `import { a } from './a.ts'`,
      'src/low/d.ts': `import { a } from './a.ts'`,
    }
    expect(check(sources, table)).toEqual([
      'src/low/a.ts:1 [cycle] import cycle: src/low/a.ts -> src/low/b.ts -> src/low/c.ts -> src/low/a.ts',
    ])
  })

  test('reports a file that imports itself', () => {
    expect(check({ 'src/low/a.ts': `export * from './a.ts'` }, table)).toEqual([
      'src/low/a.ts:1 [cycle] import cycle: src/low/a.ts -> src/low/a.ts',
    ])
  })

  test.each([
    ['Date.now()', 'Date'],
    ['new Date()', 'Date'],
    ['let at: Date', 'Date'],
    ['setTimeout(() => {}, 1)', 'setTimeout'],
    ['setInterval(() => {}, 1)', 'setInterval'],
    ['const later = setImmediate', 'setImmediate'],
    ['Math.random()', 'Math.random'],
    ['Math["random"]()', 'Math.random'],
    ['const { random } = Math', 'Math.random'],
    ['AbortSignal.timeout(1)', 'AbortSignal.timeout'],
    ['Atomics.wait(cells, 0, 0, 10)', 'Atomics.wait'],
    ['crypto.randomUUID()', 'crypto'],
    ['process.env.HOME', 'process'],
    ['type Env = typeof process', 'process'],
    ['performance.now()', 'performance'],
    ['const settings = { fetch }', 'fetch'],
    ['globalThis.setTimeout(() => {}, 1)', 'globalThis'],
    ['require("node:fs")', 'require'],
    ['{ const process = 1 }; process.exit()', 'process'],
    ['const f = (now = Date.now) => now', 'Date'],
  ])('reports ambient access in `%s`', (source, name) => {
    expect(check({ 'src/low/a.ts': source }, table)).toEqual([
      `src/low/a.ts:1 [ambient] low may not use ${name}: take it as a port (only top reach the machine)`,
    ])
  })

  test.each([
    'queueMicrotask(() => {})',
    'Math.max(1, 2)',
    'let signal: AbortSignal',
    'AbortSignal.any([])',
    'const text = "Date.now() and process.exit()" // fetch()',
    'clock.setTimeout(1)',
    'const plan = { Date: 1, fetch: 2 }',
    'interface Ports { readonly process: string; fetch(crypto: string): void }',
    'class Host { process = 1; fetch() { return this.process } }',
    'const start = ({ process }: { process: string }) => process',
    'function end(crypto: string) { return () => crypto }',
    'try {} catch (performance) { throw performance }',
    'for (const process of []) process',
    'const run = (): void => fetch()\nfunction fetch() {}',
    'import { fetch } from "some-package"\nfetch()',
    'export { process } from "some-package"',
    'type Row = [process: string, fetch: number]',
  ])('lets pass what only looks like ambient access: `%s`', (source) => {
    expect(check({ 'src/low/a.ts': source }, table)).toEqual([])
  })

  test('lets pass what the table allows', () => {
    const sources = {
      'src/low/index.ts': `export { word } from './word.ts'`,
      'src/low/word.ts': `export const word = ''`,
      'src/middle/a.ts': `import { vol } from 'memfs'\nimport { word } from '../low/index.ts'\nimport zod from 'zod'`,
      'src/top/a.ts': `import 'node:fs'\nimport '@scope/tool'\nconst now = Date.now()\nawait import(String(now))`,
    }
    expect(check(sources, table)).toEqual([])
  })

  test('reports a table that allows upward, sideways or unknown imports, unless sideways is meant', () => {
    const faulty: BoundaryTable = {
      folders: {
        low: { layer: 0, imports: ['middle'] },
        middle: { layer: 1, imports: ['beside', 'gone'] },
        beside: { layer: 1, imports: ['middle'] },
      },
      packages: {},
      sideways: ['beside -> middle'],
    }
    expect(checkTable(faulty)).toEqual([
      'low (layer 0) allows middle (layer 1): that is upwards',
      'middle (layer 1) allows beside (layer 1): that is sideways',
      'middle allows gone, which has no row',
    ])
  })
})

function check(sources: Readonly<Record<string, string>>, by: BoundaryTable): string[] {
  return formatViolations(checkBoundaries(new Map(Object.entries(sources)), by))
}

function readSources(below = 'src'): Map<string, string> {
  const names = readdirSync(join(root, below), { recursive: true, encoding: 'utf8' })
  const files = names.filter((name) => name.endsWith('.ts')).map((name) => join(below, name))
  return new Map(files.map((file) => [file.replaceAll(sep, '/'), readFileSync(join(root, file), 'utf8')]))
}
