import { isSystemError, isSystemErrorCode, systemError } from '../../core/index.ts'

/**
 * The error as the port promises it: with the path that the caller gave. Node's own names the absolute path, which would
 * make the events of two runs differ and carry the machine's folders into state, logs and bundles.
 */
export function portError(thrown: unknown, path: string, dest: string | undefined): unknown {
  if (!isSystemError(thrown)) return thrown
  const { code, errno, syscall } = thrown
  const where = dest === undefined ? { path } : { path, dest }
  if (isSystemErrorCode(code)) return systemError({ code, syscall, ...where })
  return Object.assign(new Error(`${code}: ${syscall} '${path}'`), { code, errno, syscall, ...where })
}
