import { interpret, isPromise } from '../../core/index.ts'
import type { MaybePromise } from '../../core/index.ts'
import type { FileProgram, FilesPort } from '../../ports/index.ts'

/**
 * Runs one file program at a time, in the order in which they were asked for, so that two of them never interleave: the
 * order of file operations is then the same on a disk that answers at once and on one that answers later.
 */
export interface SerialDisk {
  run<T>(program: FileProgram<T>): MaybePromise<T>
}

export function serialDisk(files: FilesPort): SerialDisk {
  let running: Promise<unknown> | undefined
  const track = <T>(promise: Promise<T>): Promise<T> => {
    const settled = promise.then(ignore, ignore).then(() => {
      if (running === settled) running = undefined
    })
    running = settled
    return promise
  }
  return {
    run(program) {
      if (running !== undefined)
        return track(running.then(() => interpret(program, (operation) => files.perform(operation))))
      const result = interpret(program, (operation) => files.perform(operation))
      return isPromise(result) ? track(result) : result
    },
  }
}

function ignore(): void {}
