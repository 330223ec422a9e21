import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder whose `node_modules` holds faultline as a stranger has it. Tests make their projects below it. */
    packedPackage: string
  }
}

interface Manifest {
  readonly name: string
  readonly bin: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** What a stranger's project has of its own accord, beside faultline, its dependencies and its peers. */
const strangersOwn = ['typescript', '@types/node']

/**
 * Packs the project and unpacks the tarball into a temporary `node_modules`, once per run.
 *
 * The package is a real folder, because Vitest treats a symlinked one as the user's own source. What it declares as a
 * dependency or peer is linked from here, without a network; what it uses but does not declare is not there, and fails.
 */
export default function setup(project: TestProject): () => void {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'faultline-packed-')))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  // Ctrl-C skips the teardown, but not this.
  process.once('exit', remove)

  buildIfStale()
  installPacked(folder)
  project.provide('packedPackage', folder)

  return () => {
    process.removeListener('exit', remove)
    remove()
  }
}

function buildIfStale(): void {
  const built = modifiedAt(join(root, 'dist'))
  const inputs = ['package.json', 'tsconfig.json', 'tsconfig.build.json', ...filesBelow('src')]
  if (inputs.some((file) => modifiedAt(join(root, file)) > built)) npm('run', 'build')
}

function installPacked(folder: string): void {
  npm('pack', '--ignore-scripts', '--pack-destination', folder)
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'))
  if (tarball === undefined) throw new Error(`npm pack left no tarball in ${folder}`)

  const modules = join(folder, 'node_modules')
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
  const home = join(modules, manifest.name)
  mkdirSync(home, { recursive: true })
  execFileSync('tar', ['-xzf', join(folder, tarball), '-C', home, '--strip-components=1'])
  rmSync(join(folder, tarball))

  const { dependencies, peerDependencies } = manifest
  for (const name of [...Object.keys(dependencies), ...Object.keys(peerDependencies), ...strangersOwn]) {
    link(join(root, 'node_modules', name), join(modules, name))
  }
  for (const [command, file] of Object.entries(manifest.bin)) {
    link(join(home, file), join(modules, '.bin', command))
  }
  for (const command of ['vitest', 'tsc']) {
    link(realpathSync(join(root, 'node_modules/.bin', command)), join(modules, '.bin', command))
  }
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  symlinkSync(target, path)
}

function npm(...args: readonly string[]): void {
  // Quiet unless it fails; then the error carries what npm printed.
  execFileSync('npm', args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) =>
    join(folder, file),
  )
}

function modifiedAt(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}
