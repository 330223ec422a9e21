import { dirname, join, normalize } from 'node:path/posix'
import { isBuiltin } from 'node:module'
import { ambientNames } from './ambient-names.ts'
import { importCycles, type ImportCycle, type ImportEdge } from './import-cycles.ts'
import { parseModule, type ModuleSyntax, type Specifier } from './module-syntax.ts'

/** What one folder of `src` may know. A file belongs to the row with the longest matching folder name. */
export interface FolderRow {
  /** 0 words, 1 contracts, 2 domain, 3 composed, 4 edges. */
  readonly layer: number
  /** The folders it may import, each through its `index.ts`. */
  readonly imports: readonly string[]
  /** Whether it may reach the machine itself: `node:*`, the clock, timers, randomness, the process, the network. */
  readonly machine?: true
}

export interface BoundaryTable {
  readonly folders: Readonly<Record<string, FolderRow>>
  /** npm packages that only the named folders may import; packages not listed are free. */
  readonly packages: Readonly<Record<string, readonly string[]>>
  /** Imports inside one layer which are meant, as `importer -> imported`. */
  readonly sideways: readonly string[]
}

export type BoundaryRule =
  | 'ambient'
  | 'computed-import'
  | 'cycle'
  | 'extension'
  | 'folder'
  | 'index-only'
  | 'missing-file'
  | 'node-builtin'
  | 'outside-src'
  | 'package'
  | 'syntax'
  | 'unknown-folder'

export interface Violation {
  readonly rule: BoundaryRule
  readonly file: string
  readonly line: number
  readonly message: string
}

/**
 * Judges sources (path from the project root, such as `src/core/ids.ts`, to text) by the table. Pure: reads no disk.
 * Imports of types count as imports.
 */
export function checkBoundaries(sources: ReadonlyMap<string, string>, table: BoundaryTable): Violation[] {
  const violations: Violation[] = []
  const edges: ImportEdge[] = []
  for (const [file, source] of [...sources].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const folder = folderOf(file, table)
    if (folder === undefined) {
      const message = `${file} is in no folder of the table of allowed imports; add a row for its folder`
      violations.push({ rule: 'unknown-folder', file, line: 1, message })
      continue
    }
    const syntax = parseModule(file, source)
    violations.push(
      ...syntaxErrors(file, syntax),
      ...ambientViolations(file, folder, syntax, table),
      ...syntax.specifiers.flatMap((specifier) => importViolations(file, folder, specifier, sources, table)),
    )
    for (const { text, line } of syntax.specifiers) {
      const to = text === undefined ? undefined : resolveFile(file, text, sources)
      if (to !== undefined) edges.push({ from: file, to, line })
    }
  }
  return [...violations, ...importCycles(edges).map(cycleViolation)]
}

/** Faults of the table itself: a row that allows an import upwards, or sideways without saying that it is meant. */
export function checkTable(table: BoundaryTable): string[] {
  return Object.entries(table.folders).flatMap(([folder, { layer, imports }]) =>
    imports.flatMap((imported) => {
      const other = table.folders[imported]
      if (other === undefined) return [`${folder} allows ${imported}, which has no row`]
      if (other.layer < layer) return []
      if (other.layer === layer && table.sideways.includes(`${folder} -> ${imported}`)) return []
      const direction = other.layer === layer ? 'sideways' : 'upwards'
      return [`${folder} (layer ${layer}) allows ${imported} (layer ${other.layer}): that is ${direction}`]
    }),
  )
}

export function formatViolations(violations: readonly Violation[]): string[] {
  return violations.map(({ rule, file, line, message }) => `${file}:${line} [${rule}] ${message}`)
}

function cycleViolation([first, ...rest]: ImportCycle): Violation {
  const route = [first, ...rest].map(({ from }) => from)
  const message = `import cycle: ${[...route, first.from].join(' -> ')}`
  return { rule: 'cycle', file: first.from, line: first.line, message }
}

function syntaxErrors(file: string, syntax: ModuleSyntax): Violation[] {
  return syntax.errors.map((message) => ({ rule: 'syntax', file, line: 1, message }))
}

function ambientViolations(
  file: string,
  folder: string,
  syntax: ModuleSyntax,
  table: BoundaryTable,
): Violation[] {
  if (table.folders[folder]?.machine) return []
  return ambientNames(syntax).map(({ name, line }) => ({
    rule: 'ambient',
    file,
    line,
    message: `${folder} may not use ${name}: take it as a port (only ${machineFolders(table)} reach the machine)`,
  }))
}

function importViolations(
  file: string,
  folder: string,
  specifier: Specifier,
  sources: ReadonlyMap<string, string>,
  table: BoundaryTable,
): Violation[] {
  const { text, line } = specifier
  const report = (rule: BoundaryRule, message: string): Violation[] => [{ rule, file, line, message }]
  const mayReachMachine = table.folders[folder]?.machine === true

  if (text === undefined) {
    if (mayReachMachine) return []
    return report(
      'computed-import',
      `${folder} may not import a computed path: which file it loads is unknown here`,
    )
  }
  if (isBuiltin(text)) {
    if (mayReachMachine) return []
    return report(
      'node-builtin',
      `${folder} may not import '${text}': only ${machineFolders(table)} reach the machine`,
    )
  }
  if (!text.startsWith('.')) return packageViolations(folder, text, report, table)

  const target = join(dirname(file), text)
  if (!target.startsWith('src/')) return report('outside-src', `'${text}' leaves src`)
  const to = resolveFile(file, text, sources)
  if (to === undefined) return report('missing-file', `'${text}' is not a file of src`)
  const wrongExtension =
    to === target ? [] : report('extension', `'${text}' must name the file itself: write .ts`)
  return [...wrongExtension, ...folderViolations(folder, to, report, table)]
}

function packageViolations(
  folder: string,
  specifier: string,
  report: (rule: BoundaryRule, message: string) => Violation[],
  table: BoundaryTable,
): Violation[] {
  const name = packageName(specifier)
  const allowed = table.packages[name]
  if (allowed === undefined || allowed.includes(folder)) return []
  return report('package', `${folder} may not import package '${name}': only ${allowed.join(', ')} may`)
}

function folderViolations(
  folder: string,
  to: string,
  report: (rule: BoundaryRule, message: string) => Violation[],
  table: BoundaryTable,
): Violation[] {
  const other = folderOf(to, table)
  if (other === undefined || other === folder) return []
  const imports = table.folders[folder]?.imports ?? []
  if (!imports.includes(other)) {
    const allowed = imports.length === 0 ? 'nothing' : `only ${imports.join(', ')}`
    return report('folder', `${folder} may not import ${other}: it may import ${allowed}`)
  }
  if (to !== `src/${other}/index.ts`) {
    return report('index-only', `${folder} must import ${other} through its index.ts, not ${to}`)
  }
  return []
}

/** The file that a relative specifier means; `.js` is followed to its `.ts`, so that no edge is missed. */
function resolveFile(
  file: string,
  specifier: string,
  sources: ReadonlyMap<string, string>,
): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const target = normalize(join(dirname(file), specifier))
  const candidates = [target, target.replace(/\.js$/, '.ts'), `${target}.ts`, `${target}/index.ts`]
  return candidates.find((candidate) => sources.has(candidate))
}

function folderOf(file: string, table: BoundaryTable): string | undefined {
  const owners = Object.keys(table.folders).filter((folder) => file.startsWith(`src/${folder}/`))
  return owners.sort((a, b) => b.length - a.length)[0]
}

function packageName(specifier: string): string {
  const [first = '', second] = specifier.split('/')
  return first.startsWith('@') && second !== undefined ? `${first}/${second}` : first
}

function machineFolders(table: BoundaryTable): string {
  const names = Object.entries(table.folders).flatMap(([name, row]) => (row.machine ? [name] : []))
  return names.join(', ')
}
