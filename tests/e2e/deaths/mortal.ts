import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'
import type { Execution, FileTree } from '../../../src/harness/invariants/index.ts'
import type { FileOperation } from '../../../src/ports/index.ts'
import { stranger } from '../../support/stranger.ts'

/** Whether a process runs the workflow, or lets it fail first and takes the run over then. */
export type Life = 'run' | 'recovery'

/** When a process kills itself: before its n-th file operation, in the middle of what that writes, or after its n-th event. */
export interface Moment {
  readonly when: 'before' | 'inside' | 'after'
  readonly at: number
}

/** A fault of a sweep as JSON, with the number of the file operation that it strikes. */
export interface Struck {
  readonly when: 'fault'
  readonly at: string
}

/** What a run says before it goes on; see `mortal-run.mjs`. */
export type Said =
  | { readonly op: FileOperation['op']; readonly path: string; readonly writes: boolean }
  | {
      readonly kind: string
      readonly seq: number
      readonly step?: string
      readonly visit?: number
      readonly status: string
    }
  | { readonly started: string }
  | { readonly recovered: string }
  | { readonly struck: string }

export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
}

/** A project in which processes of the packed package run `flow.yaml`, one after the other. */
export interface MortalProject {
  run(life: Life, moment?: Moment | Struck): Promise<Ended>
  resume(...args: readonly string[]): Promise<Ended>
  /** Every file with its bytes. */
  files(): FileTree
  /** Calls of agents, by all processes. */
  executions(): readonly Execution[]
  remove(): void
}

const sources = ['faultline.agents.mjs', 'mortal-run.mjs'] as const

export function mortalProject(workflow: string): MortalProject {
  const packed = inject('packedPackage')
  const texts = sources.map((name) => [name, readFileSync(new URL(name, import.meta.url), 'utf8')] as const)
  const project = stranger(packed, { 'flow.yaml': workflow, ...Object.fromEntries(texts) })
  const outside = mkdtempSync(join(packed, 'calls-'))
  const calls = join(outside, 'calls')
  const cli = join(packed, 'node_modules/faultline/dist/cli/main.js')
  let lives = 0
  const node = (...args: readonly string[]): Promise<Ended> => {
    const env = { ...process.env, NO_COLOR: '1', DEATHS_CALLS: calls, DEATHS_LIFE: String(++lives) }
    return ended(args, { cwd: project.folder, env })
  }
  return {
    run: (life, moment) =>
      node('mortal-run.mjs', life, ...(moment === undefined ? [] : [moment.when, String(moment.at)])),
    resume: (...args) => node(cli, 'resume', ...args),
    files: () => new Map(project.files().map((path) => [path, readFileSync(join(project.folder, path))])),
    executions: () => (existsSync(calls) ? jsonLines<Execution>(readFileSync(calls, 'utf8')) : []),
    remove() {
      project.remove()
      rmSync(outside, { recursive: true })
    },
  }
}

function ended(
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Ended> {
  const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (texts[name] += text))
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, ...texts }))
  })
}

export function jsonLines<T>(text: string): readonly T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}

/** As many at a time as there are cores on a small machine. */
export async function fourAtATime<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++)
      results[index] = await work(items[index] as T)
  }
  await Promise.all(Array.from({ length: 4 }, worker))
  return results
}
