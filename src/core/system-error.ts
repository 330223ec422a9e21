import { isError, withoutStacks } from './errors.ts'

/** What libuv calls each failure, and its number on Linux. */
const systemErrors = {
  EACCES: [13, 'permission denied'],
  EBADF: [9, 'bad file descriptor'],
  EBUSY: [16, 'resource busy or locked'],
  EEXIST: [17, 'file already exists'],
  EINVAL: [22, 'invalid argument'],
  EIO: [5, 'i/o error'],
  EISDIR: [21, 'illegal operation on a directory'],
  EMFILE: [24, 'too many open files'],
  ENOENT: [2, 'no such file or directory'],
  ENOSPC: [28, 'no space left on device'],
  ENOTDIR: [20, 'not a directory'],
  ENOTEMPTY: [39, 'directory not empty'],
  EPERM: [1, 'operation not permitted'],
  EROFS: [30, 'read-only file system'],
  /** EDQUOT, a full quota: libuv does not know it. */
  'Unknown system error -122': [122, 'Unknown system error -122'],
} as const satisfies Record<string, readonly [errno: number, text: string]>

export type SystemErrorCode = keyof typeof systemErrors

/** A failed call of the operating system, in the shape that Node gives it. */
export interface SystemError extends Error {
  readonly code: string
  readonly errno: number
  readonly syscall: string
  readonly path: string
  readonly dest?: string
}

export interface SystemErrorFacts {
  readonly code: SystemErrorCode
  readonly syscall: string
  readonly path: string
  /** The second path of a rename. */
  readonly dest?: string
}

/**
 * Makes the error that Node would throw: `ENOENT: no such file or directory, open 'notes.md'`. It has no frames, as those that
 * come from a thread of Node have none: they would lead into whoever plays the system.
 */
export function systemError(facts: SystemErrorFacts): SystemError {
  const { code, syscall, path, dest } = facts
  const [errno, text] = systemErrors[code]
  const where = dest === undefined ? `'${path}'` : `'${path}' -> '${dest}'`
  const error = withoutStacks(() => new Error(`${code}: ${text}, ${syscall} ${where}`))
  return Object.assign(error, {
    code,
    errno: -errno,
    syscall,
    path,
    ...(dest === undefined ? {} : { dest }),
  })
}

/** Whether something thrown is a system error, of one of the codes if any are given. */
export function isSystemError(thrown: unknown, ...codes: readonly string[]): thrown is SystemError {
  if (!isError(thrown)) return false
  const { code, syscall } = thrown as Partial<SystemError>
  return (
    typeof code === 'string' && typeof syscall === 'string' && (codes.length === 0 || codes.includes(code))
  )
}

export function isSystemErrorCode(code: string): code is SystemErrorCode {
  return Object.hasOwn(systemErrors, code)
}
