import { assert, isId } from '../core/index.ts'
import type { DigestPort } from '../ports/index.ts'

export interface BundleName {
  /** What people should recognise: the test's or workflow's name. */
  readonly slugSource: string
  /** What makes it unique: project, file and full name. */
  readonly hashSource: string
  /** From 1. */
  readonly attempt: number
  /** From 1; leave out when the test does not repeat. */
  readonly repeat?: number
}

/** `<slug>-<hash8>-a<attempt>[-r<repeat>]`: the same for the same test in every run, and a file name everywhere. */
export function bundleFolderName(name: BundleName, digest: DigestPort): string {
  const hash = digest.sha256(name.hashSource).slice(0, 8)
  const repeat = name.repeat === undefined ? '' : `-r${name.repeat}`
  const folder = `${slug(name.slugSource)}-${hash}-a${name.attempt}${repeat}`
  assert(isId(folder), `'${folder}' is a safe folder name`)
  return folder
}

const longestSlug = 60

function slug(text: string): string {
  const words = text
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, longestSlug)
    .replace(/^-+|-+$/g, '')
  return words === '' ? 'bundle' : words
}
