import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Writable } from 'node:stream'
import { messageOf } from '../../core/index.ts'
import { processDefaults, StepFailure } from '../../ports/index.ts'
import type { HeldProcess, ProcessCall, ProcessPort, ProcessResult } from '../../ports/index.ts'
import type { ProcessGroup } from '../../trace/index.ts'
import { CappedOutput } from './capped-output.ts'
import { Containment } from './contained-place.ts'
import type { FoundPlace } from './contained-place.ts'
import { programExists } from './find-program.ts'
import { endWholeGroup, groupLives, isSameGroup, markVariable } from './process-group.ts'
import { machineBootId, processStartTime, unknownFact } from './process-facts.ts'
import { realSetTimeout } from './real-timers.ts'

/** Without these hardly any program finds its tools, its home or its temporary folder. */
const everyProgramNeeds = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'TEMP',
  'TMP',
  'SystemRoot',
  'ComSpec',
  'PATHEXT',
]

/**
 * A program behind a gate: a shell that waits for a line on its fourth descriptor and then becomes the program. When its parent dies
 * before it has written one, the descriptor ends and so does the shell.
 */
const gate = 'read -r go <&3 || exit 125; exec 3<&-; exec "$@"'

/** What escaped from its group may hold the output open for ever. */
const outputGraceMs = 500

export interface ChildProcesses extends ProcessPort {
  /** Kills everything that it has started and is still there. */
  close(): Promise<void>
}

export interface ChildProcessesOptions {
  /** The project: programs run in it or below. */
  readonly folder: string
  /** What a child may be given of. */
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Real child processes, each the leader of a group of its own. */
export function createChildProcesses(options: ChildProcessesOptions): ChildProcesses {
  const { environment } = options
  const containment = new Containment(options.folder)
  const started = new Set<Held>()
  return {
    async start(call) {
      const { cwd = '' } = call
      const absolute = folderOf(call, cwd, containment)
      const mark = `${call.by.step}#${call.by.visit}@${call.by.attempt}-${randomBytes(8).toString('hex')}`
      const env = environmentFor(call, environment, mark)
      if (!programExists(call.command[0] ?? '', absolute, env['PATH']))
        throw notStarted(call, 'ENOENT', 'there is no such program')
      const held = new Held(call, await spawned(call, absolute, env), mark)
      started.add(held)
      held.result.then(
        () => started.delete(held),
        () => started.delete(held),
      )
      return held
    },
    async endGroup(group) {
      if (group.host !== hostname()) return 'elsewhere'
      const bootId = machineBootId()
      const sameBoot = group.bootId === bootId || group.bootId === unknownFact || bootId === unknownFact
      if (!sameBoot || !isSameGroup(group)) return 'gone'
      await endWholeGroup(group.pid, processDefaults.killGraceMs)
      return 'ended'
    },
    async close() {
      await Promise.all([...started].map((held) => held.kill()))
    },
  }
}

function folderOf(call: ProcessCall, cwd: string, containment: Containment): string {
  let place: FoundPlace
  try {
    place = containment.target(cwd)
  } catch (error) {
    throw notStarted(call, 'PATH_OUTSIDE', messageOf(error).replace(/\.$/, ''))
  }
  if (place.stats?.isDirectory() === true) return place.absolute
  throw notStarted(call, 'ENOENT', `there is no folder '${cwd}'`)
}

class Held implements HeldProcess {
  readonly group: ProcessGroup
  readonly result: Promise<ProcessResult>
  readonly #child: ChildProcess
  readonly #graceMs: number
  #ending: Promise<void> | undefined

  constructor(call: ProcessCall, child: ChildProcess, mark: string) {
    const pid = child.pid as number
    this.#child = child
    this.#graceMs = call.killGraceMs ?? processDefaults.killGraceMs
    this.group = {
      pid,
      startTime: processStartTime(pid) ?? unknownFact,
      bootId: machineBootId(),
      host: hostname(),
      mark,
    }
    this.result = this.#watch(call.capBytes ?? processDefaults.capBytes)
    // Whoever abandons it does not wait for it.
    this.result.catch(() => {})
  }

  release(): void {
    this.#gate?.end('go\n')
  }

  abandon(): void {
    this.#gate?.destroy()
    if (this.#gate === null) this.end()
  }

  end(): void {
    this.#ending ??= endWholeGroup(this.group.pid, this.#graceMs)
  }

  async kill(): Promise<void> {
    await Promise.all([endWholeGroup(this.group.pid, 0), this.result])
  }

  /** Null where there is no shell to wait at it. */
  get #gate(): Writable | null {
    return (this.#child.stdio[3] ?? null) as Writable | null
  }

  async #watch(capBytes: number): Promise<ProcessResult> {
    const child = this.#child
    const stdout = new CappedOutput(capBytes)
    const stderr = new CappedOutput(capBytes)
    child.stdout?.on('data', (chunk: Uint8Array) => stdout.add(chunk))
    child.stderr?.on('data', (chunk: Uint8Array) => stderr.add(chunk))
    // It may be gone before it has been let go.
    this.#gate?.on('error', () => {})
    const closed = new Promise<void>((resolve) => void child.once('close', () => resolve()))
    const [exitCode, signal] = await new Promise<[number | null, string | null]>(
      (resolve) => void child.once('exit', (code, by) => resolve([code, by])),
    )
    if (groupLives(this.group.pid)) this.end()
    await this.#ending
    await Promise.race([
      closed,
      new Promise((resolve) => void realSetTimeout(resolve, outputGraceMs).unref()),
    ])
    child.stdout?.destroy()
    child.stderr?.destroy()
    return { exitCode, signal, stdout: stdout.text(), stderr: stderr.text() }
  }
}

function spawned(
  { command, ...call }: ProcessCall,
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<ChildProcess> {
  const [program = '', ...parameters] = command
  const gated = process.platform !== 'win32'
  const child = gated
    ? spawn('/bin/sh', ['-c', gate, 'sh', ...command], {
        cwd,
        env,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      })
    : spawn(program, parameters, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true })
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve(child))
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(notStarted({ command, ...call }, error.code ?? 'ERROR', messageOf(error))),
    )
  })
}

function environmentFor(
  { passEnv = [], setEnv = {} }: ProcessCall,
  environment: ChildProcessesOptions['environment'],
  mark: string,
): Readonly<Record<string, string>> {
  const env: Record<string, string> = {}
  for (const name of [...everyProgramNeeds, ...passEnv]) {
    const value = environment[name]
    if (value !== undefined) env[name] = value
  }
  return { ...env, ...setEnv, [markVariable]: mark }
}

function notStarted({ command }: ProcessCall, code: string, why: string): StepFailure {
  return new StepFailure(`'${command[0] ?? ''}' cannot be started: ${why}.`, {
    kind: 'process',
    category: 'permanent',
    code,
  })
}
