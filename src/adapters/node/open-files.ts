import { closeSync, openSync, writeSync } from 'node:fs'
import { assert, isPromise } from '../../core/index.ts'
import type { FileData } from '../../ports/index.ts'
import { syncDescriptor } from './sync.ts'

interface OpenFile {
  readonly descriptor: number
  /** Syncs under way: a descriptor closed under one could come to mean another file. */
  readonly syncs: Set<Promise<void>>
}

/** The files that appends keep open, by path relative to the root. */
export class OpenFiles {
  readonly #files = new Map<string, OpenFile>()

  has(path: string): boolean {
    return this.#files.has(path)
  }

  open(path: string, absolute: string): void {
    this.#files.set(path, { descriptor: openSync(absolute, 'a'), syncs: new Set() })
  }

  append(path: string, data: FileData): void {
    writeAll(this.#opened(path).descriptor, data)
  }

  async sync(path: string): Promise<void> {
    const file = this.#opened(path)
    const sync = syncDescriptor(file.descriptor)
    if (!isPromise(sync)) return
    file.syncs.add(sync)
    try {
      await sync
    } finally {
      file.syncs.delete(sync)
    }
  }

  /** Closes the file at a path, and those below it if it is a folder. */
  async release(path: string): Promise<void> {
    if (this.#files.size === 0) return
    const below = `${path}/`
    await this.#close([...this.#files.keys()].filter((open) => open === path || open.startsWith(below)))
  }

  async releaseAll(): Promise<void> {
    await this.#close([...this.#files.keys()])
  }

  #opened(path: string): OpenFile {
    const file = this.#files.get(path)
    assert(file !== undefined, `'${path}' is open`)
    return file
  }

  async #close(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const file = this.#files.get(path)
      if (file === undefined) continue
      this.#files.delete(path)
      if (file.syncs.size > 0) await Promise.allSettled(file.syncs)
      closeSync(file.descriptor)
    }
  }
}

/** One call may write less than it was given (a signal, a nearly full disk); the rest must follow before anything else. */
export function writeAll(descriptor: number, data: FileData): void {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data
  for (let written = 0; written < bytes.length;) {
    written += writeSync(descriptor, bytes, written, bytes.length - written)
  }
}
