import { decodeUtf8, formatStepKey, joinPath, parentFolder, suggestion } from '../../core/index.ts'
import type { MaybePromise } from '../../core/index.ts'
import { StepFailure } from '../../ports/index.ts'
import type { FilesPort, ProcessCall, ProcessPort, ProcessResult } from '../../ports/index.ts'

/** Stands for a program: works on the simulated disk, and says how it ended. */
export type SimulatedProgram = (call: SimulatedCall) => MaybePromise<Partial<ProcessResult> | void>

/** Programs by the name they are called by. */
export type SimulatedPrograms = Readonly<Record<string, SimulatedProgram>>

export interface SimulatedCall {
  /** What follows the program's name. */
  readonly parameters: readonly string[]
  /** Undefined when there is no such file. */
  readonly read: (path: string) => Promise<string | undefined>
  /** In place, as a program writes: a crash may leave half of it. */
  readonly write: (path: string, data: string | Uint8Array) => Promise<void>
}

/** Processes that are functions, on a simulated disk: they end with the engine life that started them. */
export function createSimulatedProcesses(programs: SimulatedPrograms, files: FilesPort): ProcessPort {
  let started = 0
  return {
    async start(call) {
      const [name = '', ...parameters] = call.command
      const program = Object.hasOwn(programs, name) ? programs[name] : undefined
      if (program === undefined) throw unknownProgram(name, Object.keys(programs))
      let release = (): void => {}
      let end = (): void => {}
      const released = new Promise<void>((resolve) => (release = resolve))
      const ended = new Promise<ProcessResult>((resolve) => {
        end = () => resolve({ exitCode: null, signal: 'SIGTERM', stdout: '', stderr: '' })
      })
      const worked = released.then(async (): Promise<ProcessResult> => {
        const result = await program({ parameters, ...fileCalls(call, files) })
        return { exitCode: 0, signal: null, stdout: '', stderr: '', ...result }
      })
      const pid = ++started
      return {
        group: {
          pid,
          startTime: '0',
          bootId: 'simulated',
          host: 'simulated',
          mark: `${formatStepKey(call.by)}/${pid}`,
        },
        release,
        result: Promise.race([worked, ended]),
        end,
        abandon: end,
      }
    },
    endGroup: async () => 'gone',
  }
}

function fileCalls({ cwd = '' }: ProcessCall, files: FilesPort): Pick<SimulatedCall, 'read' | 'write'> {
  const place = (path: string): string => (cwd === '' ? path : joinPath(cwd, path))
  return {
    async read(path) {
      const bytes = await files.perform({ op: 'read', path: place(path) })
      return bytes === undefined ? undefined : decodeUtf8(bytes)
    },
    async write(path, data) {
      await makeFolders(parentFolder(place(path)), files)
      await files.perform({ op: 'write', path: place(path), data })
    },
  }
}

async function makeFolders(folder: string, files: FilesPort): Promise<void> {
  if (folder === '' || (await files.perform({ op: 'stat', path: folder })) !== undefined) return
  await makeFolders(parentFolder(folder), files)
  await files.perform({ op: 'makeFolder', path: folder })
}

function unknownProgram(name: string, known: readonly string[]): StepFailure {
  return new StepFailure(
    `'${name}' cannot be started: no such program is simulated. ${suggestion(name, known)}`,
    {
      kind: 'process',
      category: 'permanent',
      code: 'ENOENT',
    },
  )
}
