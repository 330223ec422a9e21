import type { FileOperation } from '../../ports/index.ts'

/**
 * Names the file operations of one engine life by what they are and not by when they come:
 * `<incarnation>/<step>#<visit>@<attempt>:files.<operation>:<path>#<occurrence>`, or `<incarnation>/run:...` outside steps.
 */
export function fileOperationNames(incarnation: number): (operation: FileOperation) => string {
  const occurrences = new Map<string, number>()
  return ({ op, path }) => {
    const inRun = path.replace(/^.*\/runs\/[^/]+\//, '')
    const scope = /^staging\/([^/]+#\d+@\d+)(?:\/|$)/.exec(inRun)?.[1] ?? 'run'
    const name = `${incarnation}/${scope}:files.${op}:${inRun}`
    const occurrence = (occurrences.get(name) ?? 0) + 1
    occurrences.set(name, occurrence)
    return `${name}#${occurrence}`
  }
}
