import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Stands where the platform does not tell; matches everything, so that doubt never takes a run from a live holder. */
export const unknownFact = 'unknown'

/**
 * When a process started, in the platform's own terms, or undefined when there is none (a zombie counts as none: it
 * has died and only waits to be noticed by its parent).
 *
 * Linux: clock ticks since boot, from `/proc/<pid>/stat`. macOS and the BSDs: the time that `ps` prints. Elsewhere
 * unknown; a recycled process id then passes for the old process.
 */
export function processStartTime(pid: number): string | undefined {
  if (!isRunning(pid)) return undefined
  if (process.platform === 'linux') return linuxStartTime(pid)
  if (process.platform === 'win32') return unknownFact
  return output('ps', ['-o', 'lstart=', '-p', String(pid)]) ?? unknownFact
}

/**
 * Tells one start of the machine from the next: Linux's boot id, macOS's boot session. Elsewhere unknown; after a
 * restart of the machine the process id alone then decides.
 */
export function machineBootId(): string {
  if (process.platform === 'linux') return textOf('/proc/sys/kernel/random/boot_id') ?? unknownFact
  if (process.platform === 'darwin') return output('sysctl', ['-n', 'kern.bootsessionuuid']) ?? unknownFact
  return unknownFact
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs and belongs to somebody else.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function linuxStartTime(pid: number): string | undefined {
  const stat = textOf(`/proc/${pid}/stat`)
  if (stat === undefined) return isRunning(pid) ? unknownFact : undefined
  // The second field is the program's name in brackets, which may hold blanks and brackets of its own.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (state === 'Z' || state === 'X') return undefined
  // Field 22 of the whole line; `fields` starts with field 4.
  return fields[22 - 4] ?? unknownFact
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}

function output(program: string, parameters: readonly string[]): string | undefined {
  try {
    const text = execFileSync(program, parameters, {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return text.trim() || undefined
  } catch {
    return undefined
  }
}
