import type { FileOperation } from '../../ports/index.ts'

/** Operations that change what is on the disk, or what of it is durable: a crash between two others tells nothing new. */
const writeLike: ReadonlySet<FileOperation['op']> = new Set([
  'write',
  'writeNew',
  'append',
  'fsync',
  'fsyncFolder',
  'rename',
  'remove',
  'removeFolder',
  'makeFolder',
])

export function isWriteLike({ op }: FileOperation): boolean {
  return writeLike.has(op)
}

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
