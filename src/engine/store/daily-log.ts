import { joinPath, parentFolder, utcDay } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { FileProgram } from '../../ports/index.ts'
import type { LogEntry } from '../../trace/index.ts'

/**
 * What agents and recovery say, as JSON lines in one file per day (UTC) that all runs share. Best effort: nothing waits for
 * the disk, and what cannot be written is lost without harm to the run.
 */
export class DailyLog {
  readonly #folder: string
  /** The file that is held open. */
  #file: string | undefined

  constructor(folder: string) {
    this.#folder = folder
  }

  *write(entry: LogEntry): FileProgram<void> {
    const file = joinPath(this.#folder, `workflow-${utcDay(entry.at)}.log`)
    try {
      if (file !== this.#file) {
        yield* this.close()
        yield* makeFolders(this.#folder)
        this.#file = file
      }
      yield* perform({ op: 'append', path: file, data: `${JSON.stringify(entry)}\n` })
    } catch {
      // The observer has been told; a full disk must not stop a run that may not need it.
    }
  }

  *close(): FileProgram<void> {
    const file = this.#file
    this.#file = undefined
    if (file === undefined) return
    try {
      yield* perform({ op: 'close', path: file })
    } catch {
      // As above.
    }
  }
}

/** A folder and those above it, as little durable as what goes into them. */
function* makeFolders(path: string): FileProgram<void> {
  if (path === '' || (yield* perform({ op: 'stat', path })) !== undefined) return
  yield* makeFolders(parentFolder(path))
  yield* perform({ op: 'makeFolder', path })
}
