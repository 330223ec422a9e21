import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** A project of somebody who has installed the packed package. */
export interface Stranger {
  readonly folder: string
  write(path: string, text: string): void
  read(path: string): string
  /** Paths of all files below a folder, sorted. */
  files(below?: string): readonly string[]
  faultline(...args: readonly string[]): Ended
  faultlineWith(env: Readonly<Record<string, string>>, ...args: readonly string[]): Ended
  /** Starts the command and hands over the process. */
  start(...args: readonly string[]): ChildProcess
  vitest(args?: readonly string[], env?: Readonly<Record<string, string>>): Ended
  remove(): void
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export function stranger(packedPackage: string, files: Readonly<Record<string, string>>): Stranger {
  const self = strangerIn(packedPackage, mkdtempSync(join(packedPackage, 'stranger-')))
  for (const [path, text] of Object.entries(files)) self.write(path, text)
  return self
}

/** The same for a folder that is there already, below that of the package. */
export function strangerIn(packedPackage: string, folder: string): Stranger {
  const cli = join(packedPackage, 'node_modules/faultline/dist/cli/main.js')
  const vitest = join(packedPackage, 'node_modules/vitest/vitest.mjs')
  const ownNode = join(packedPackage, 'node_modules/.bin/node')
  const node = existsSync(ownNode) ? ownNode : process.execPath
  const environment = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0', CI: 'true', FAULTLINE_REPLAY: '' }
  const call = (
    script: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Ended => {
    const { status, stdout, stderr } = spawnSync(node, [script, ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...environment, ...env },
    })
    return { code: status, stdout, stderr }
  }
  return {
    folder,
    write(path, text) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    },
    read: (path) => readFileSync(join(folder, path), 'utf8'),
    files: (below = '') => filesBelow(join(folder, below), below),
    faultline: (...args) => call(cli, args),
    faultlineWith: (env, ...args) => call(cli, args, env),
    start: (...args) => spawn(node, [cli, ...args], { cwd: folder, env: environment }),
    vitest: (args = [], env = {}) => call(vitest, ['run', ...args], env),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function filesBelow(absolute: string, path: string): readonly string[] {
  return readdirSync(absolute)
    .sort()
    .flatMap((name) => {
      const inner = path === '' ? name : `${path}/${name}`
      return statSync(join(absolute, name)).isDirectory() ? filesBelow(join(absolute, name), inner) : [inner]
    })
}
