import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/** Whether a program could be started: by its path, or by its name and the search path. */
export function programExists(program: string, folder: string, searchPath: string | undefined): boolean {
  // Windows also tries extensions: what it does not find, it says itself.
  if (process.platform === 'win32') return true
  if (program.includes('/')) return isProgram(isAbsolute(program) ? program : join(folder, program))
  return (searchPath ?? '')
    .split(delimiter)
    .some((place) => isProgram(join(place === '' ? '.' : place, program)))
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
