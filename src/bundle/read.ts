import { FaultlineError, joinPath, suggestion } from '../core/index.ts'
import type { FilesPort } from '../ports/index.ts'
import { timelineOf, type WorkflowEvent, type WorkflowSnapshot } from '../trace/index.ts'
import type { Bundle, BundleSession, BundleSnapshots } from './bundle.ts'
import { manifestFile, sessionFiles } from './layout.ts'
import { parseManifest } from './manifest-schema.ts'
import type { BundleManifest, BundleSessionEntry } from './manifest.ts'

/**
 * Reads a bundle, whoever wrote it and wherever it lies now.
 *
 * @throws FaultlineError `BUNDLE_INVALID` naming the file (and line) that is missing or broken, `BUNDLE_NEWER`.
 */
export async function readBundle(files: FilesPort, folder: string): Promise<Bundle> {
  const manifest = await readManifest(files, folder)
  const reader = new BundleReader(files, folder, manifest)
  const sessions = await Promise.all(manifest.sessions.map((entry) => reader.session(entry)))
  return {
    ...(sessions[0] ?? emptySession),
    folder,
    manifest,
    sessions,
    text: (path) => reader.listedText(path),
  }
}

/** Reads what a bundle is about, and nothing else of it. Throws like `readBundle`. */
export async function readManifest(files: FilesPort, folder: string): Promise<BundleManifest> {
  const bytes = await files.perform({ op: 'read', path: joinPath(folder, manifestFile) })
  if (bytes === undefined) throw await noManifest(files, folder)
  return parseManifest(new TextDecoder().decode(bytes), joinPath(folder, manifestFile))
}

const emptySession: Omit<BundleSession, 'entry'> = {
  events: [],
  timeline: [],
  snapshots: { beforeFailure: null, atFailure: null, beforeResume: [], afterResume: [] },
  plan: null,
  resolvedPlan: null,
  definition: null,
  input: null,
  logs: [],
  crashes: [],
}

class BundleReader {
  readonly #files: FilesPort
  readonly #folder: string
  readonly #manifest: BundleManifest
  readonly #paths: ReadonlySet<string>

  constructor(files: FilesPort, folder: string, manifest: BundleManifest) {
    this.#files = files
    this.#folder = folder
    this.#manifest = manifest
    this.#paths = new Set(manifest.files.map(({ path }) => path))
  }

  async session(entry: BundleSessionEntry): Promise<BundleSession> {
    const path = (name: string): string => joinPath(entry.folder, name)
    const events = await this.#lines<WorkflowEvent>(path(sessionFiles.events))
    return {
      entry,
      events,
      timeline: timelineOf(events),
      snapshots: await this.#snapshots(entry),
      plan: await this.#json(path(sessionFiles.plan)),
      resolvedPlan: await this.#json(path(sessionFiles.resolvedPlan)),
      definition: await this.#json(path(sessionFiles.definition)),
      input: (await this.#json<BundleSession['input']>(path(sessionFiles.input))) ?? null,
      logs: await this.#lines(path(sessionFiles.log)),
      crashes: await this.#present(entry.crashes ?? []),
    }
  }

  async listedText(path: string): Promise<string> {
    if (path === manifestFile || this.#paths.has(path)) return this.#text(path)
    throw new FaultlineError(
      'FILE_NOT_FOUND',
      `The bundle '${this.#folder}' has no file '${path}'. ${suggestion(path, this.#paths)}`,
      { details: { folder: this.#folder, path } },
    )
  }

  async #snapshots({ snapshots }: BundleSessionEntry): Promise<BundleSnapshots> {
    const { beforeFailure, atFailure, beforeResume, afterResume } = snapshots
    const [before = null, at = null] = await this.#present<WorkflowSnapshot>([beforeFailure, atFailure])
    return {
      beforeFailure: before,
      atFailure: at,
      beforeResume: await this.#present(beforeResume),
      afterResume: await this.#present(afterResume),
    }
  }

  async #present<T>(paths: readonly (string | null)[]): Promise<readonly (T | null)[]> {
    return Promise.all(paths.map(async (path) => (path === null ? null : this.#json<T>(path))))
  }

  async #json<T>(path: string): Promise<T | null> {
    if (this.#isLeftOut(path)) return null
    return this.#parsed(await this.#text(path), path) as T
  }

  async #lines<T>(path: string): Promise<readonly T[]> {
    if (this.#isLeftOut(path)) return []
    const lines = (await this.#text(path)).split('\n').filter((line) => line !== '')
    return lines.map((line, index) => this.#parsed(line, `${path}:${index + 1}`) as T)
  }

  #isLeftOut(path: string): boolean {
    return this.#manifest.omitted.some((file) => file.path === path)
  }

  async #text(path: string): Promise<string> {
    const bytes = await this.#files.perform({ op: 'read', path: joinPath(this.#folder, path) })
    if (bytes === undefined) throw this.#invalid(`its file '${path}' is missing`)
    return new TextDecoder().decode(bytes)
  }

  #parsed(text: string, place: string): unknown {
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw this.#invalid(`'${place}' is not JSON`, cause)
    }
  }

  #invalid(what: string, cause?: unknown): FaultlineError {
    return new FaultlineError(
      'BUNDLE_INVALID',
      `The bundle '${this.#folder}' is damaged: ${what}. Copy it again from where it was made.`,
      { details: { folder: this.#folder }, ...(cause === undefined ? {} : { cause }) },
    )
  }
}

async function noManifest(files: FilesPort, folder: string): Promise<FaultlineError> {
  const entries = await files.perform({ op: 'list', path: folder })
  const bundles: string[] = []
  for (const { name, kind } of entries ?? []) {
    if (kind !== 'folder') continue
    const inner = await files.perform({ op: 'stat', path: joinPath(folder, name, manifestFile) })
    if (inner !== undefined) bundles.push(joinPath(folder, name))
  }
  const next =
    entries === undefined
      ? 'There is no such folder.'
      : bundles.length > 0
        ? `It holds bundles; name one of them: ${bundles.slice(0, 5).join(', ')}.`
        : 'Either it is another folder, or the process died while it wrote the bundle.'
  return new FaultlineError(
    'BUNDLE_INVALID',
    `'${folder}' is not a bundle: it has no ${manifestFile}. ${next}`,
    {
      details: { folder, bundles },
    },
  )
}
