import { readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** The commit that is checked out where a folder lies, read from `.git` itself; null outside a repository, or before its first. */
export function checkedOutCommit(folder: string): string | null {
  const repository = gitFolder(resolve(folder))
  if (repository === undefined) return null
  const head = textOf(join(repository, 'HEAD'))
  if (head === undefined) return null
  const ref = /^ref: (.+)$/.exec(head)?.[1]
  if (ref === undefined) return asCommit(head)
  // A further work tree has its own HEAD; branches lie in the repository that it belongs to.
  const common = resolve(repository, textOf(join(repository, 'commondir')) ?? '.')
  return asCommit(textOf(join(common, ref)) ?? packed(textOf(join(common, 'packed-refs')), ref))
}

function gitFolder(folder: string): string | undefined {
  const place = join(folder, '.git')
  const stats = statSync(place, { throwIfNoEntry: false })
  if (stats?.isDirectory()) return place
  if (stats?.isFile()) return resolve(folder, /^gitdir: (.+)$/.exec(textOf(place) ?? '')?.[1] ?? '.git')
  const parent = dirname(folder)
  return parent === folder ? undefined : gitFolder(parent)
}

function packed(refs: string | undefined, ref: string): string | undefined {
  return refs
    ?.split('\n')
    .find((line) => line.endsWith(` ${ref}`))
    ?.split(' ')[0]
}

function asCommit(text: string | undefined): string | null {
  return text !== undefined && /^[0-9a-f]{40,64}$/.test(text) ? text : null
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    return undefined
  }
}
