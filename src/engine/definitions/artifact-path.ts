import { containedPath } from '../../core/index.ts'

/**
 * The normal form of a declared artifact; a folder keeps its `/` at the end.
 *
 * @throws FaultlineError `PATH_OUTSIDE`.
 */
export function artifactPath(path: string): string {
  const contained = containedPath(path, 'artifact path')
  return /[/\\]\.?$/.test(path) ? `${contained}/` : contained
}

/** Whether a path lies in the folder that holds the state of the runs. Case counts on some disks only, so it never does here. */
export function liesInStateFolder(path: string): boolean {
  return /^\.workflow(?:\/|$)/i.test(path)
}
