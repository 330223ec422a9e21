import { FaultlineError } from './errors.ts'

/** What needs no second look: parts that are neither empty nor made of dots alone, without drive, backslash or NUL. */
const normalPath = /^(?:(?!\.{1,2}(?:\/|$))[^/\\:\0]+(?:\/(?!$)|$))+$/

/**
 * Checks a path that came from outside and returns its normal form: relative, forward slashes, no `.` or `..` parts.
 *
 * @throws FaultlineError `PATH_OUTSIDE` when the path is absolute, empty, or climbs out of its folder.
 */
export function containedPath(path: string, what = 'path'): string {
  if (normalPath.test(path)) return path
  const slashed = path.replaceAll('\\', '/')
  if (slashed.startsWith('/') || /^[A-Za-z]:/.test(slashed) || slashed.includes('\0')) {
    throw outside(path, what, 'it must be relative')
  }
  const parts: string[] = []
  for (const part of slashed.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..') throw outside(path, what, `it must not contain '..'`)
    parts.push(part)
  }
  if (parts.length === 0) throw outside(path, what, 'it names no file')
  return parts.join('/')
}

export function parentFolder(path: string): string {
  const cut = path.lastIndexOf('/')
  return cut < 0 ? '' : path.slice(0, cut)
}

export function joinPath(...parts: readonly string[]): string {
  let joined = ''
  for (const part of parts) {
    if (part !== '') joined += joined === '' ? part : `/${part}`
  }
  return joined
}

/** Whether a declared artifact (`report.md`, or `docs/` for a folder) covers a path. */
export function covers(declared: string, path: string): boolean {
  return declared.endsWith('/') ? path.startsWith(declared) : path === declared
}

function outside(path: string, what: string, why: string): FaultlineError {
  return new FaultlineError('PATH_OUTSIDE', `The ${what} '${path}' leaves its folder: ${why}.`, {
    details: { path },
  })
}
