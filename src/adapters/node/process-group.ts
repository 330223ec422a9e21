import { readdirSync, readFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import type { ProcessGroup } from '../../trace/index.ts'
import { processStartTime, unknownFact } from './process-facts.ts'
import { realSetTimeout } from './real-timers.ts'

/** Variable in the environment of every process of a step. */
export const markVariable = 'FAULTLINE_PROCESS'

const pollMs = 10
/** How long a killed group may take to be gone: a process in the middle of a system call is not. */
const killedMs = 10_000

/** Asks a group to end, kills it when it has not by then, and settles when nothing of it is left. */
export async function endWholeGroup(pid: number, graceMs: number): Promise<void> {
  if (process.platform === 'win32') {
    spawnSync('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore' })
    return
  }
  signalGroup(pid, 'SIGTERM')
  if (await isGone(pid, graceMs)) return
  signalGroup(pid, 'SIGKILL')
  await isGone(pid, killedMs)
}

/**
 * Whether a group is still the one that was recorded. A number is given to another process only when nothing carries it any more,
 * not even as a group: its leader tells by when it began, its members by their mark.
 */
export function isSameGroup({ pid, startTime, mark }: ProcessGroup): boolean {
  const found = processStartTime(pid)
  if (found !== undefined) return found === startTime || found === unknownFact || startTime === unknownFact
  if (!groupLives(pid)) return false
  if (process.platform !== 'linux') return true
  return members(pid).some((member) => environmentOf(member).includes(`${markVariable}=${mark}`))
}

export function groupLives(pid: number): boolean {
  if (process.platform === 'win32') return processStartTime(pid) !== undefined
  if (process.platform === 'linux') return members(pid).length > 0
  try {
    process.kill(-pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // Nothing of it is left.
  }
}

async function isGone(pid: number, withinMs: number): Promise<boolean> {
  for (let waitedMs = 0; groupLives(pid); waitedMs += pollMs) {
    if (waitedMs >= withinMs) return false
    await new Promise((resolve) => void realSetTimeout(resolve, pollMs))
  }
  return true
}

/** Processes of a group that have not died: one that is dead and waits to be noticed by its parent does nothing any more. */
function members(group: number): readonly string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isMember(name, group))
}

function isMember(pid: string, group: number): boolean {
  const stat = textOf(`/proc/${pid}/stat`)
  // The program's name in brackets may hold blanks and brackets of its own.
  const [state, , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return processGroup === String(group) && state !== 'Z' && state !== 'X'
}

function environmentOf(pid: string): readonly string[] {
  return textOf(`/proc/${pid}/environ`).split('\0')
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
