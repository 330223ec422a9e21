import { createChildProcesses, createHttpService, systemEnvironment } from '../adapters/node/index.ts'
import { createSimulatedHttp, createSimulatedProcesses } from '../adapters/virtual/index.ts'
import type { HttpHandler, SimulatedPrograms } from '../adapters/virtual/index.ts'
import { StepFailure } from '../ports/index.ts'
import type { FilesPort, HttpPort, ProcessPort } from '../ports/index.ts'

/** Services and programs, real or not. */
export interface Outside {
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly http: HttpPort
  /** Programs work on the files of the life that starts them. */
  readonly processes: (files: FilesPort) => ProcessPort
  readonly simulated: { readonly http: boolean; readonly processes: boolean }
  /** Ends what is still running. */
  readonly close: () => Promise<void>
}

/** What stands in for services and programs. */
export interface OutsideOptions {
  /**
   * Answers requests in place of the network. Default: the network, where the run works in a folder; nothing is answered in a
   * simulated world.
   */
  readonly http?: HttpHandler
  /** Programs by name, in place of real ones, for runs on a simulated disk. */
  readonly programs?: SimulatedPrograms
}

/** @param folder the project's; undefined for a run on a simulated disk */
export function createOutside({ http, programs }: OutsideOptions, folder: string | undefined): Outside {
  const children =
    folder === undefined || programs !== undefined
      ? undefined
      : createChildProcesses({ folder, environment: systemEnvironment() })
  return {
    environment: systemEnvironment(),
    http:
      http !== undefined
        ? createSimulatedHttp(http)
        : folder === undefined
          ? {
              request: ({ target, by }) => refused(by.step, `asks '${target}'`, 'http', 'no service can see'),
            }
          : createHttpService(),
    processes(files) {
      if (programs !== undefined) return createSimulatedProcesses(programs, files)
      return (
        children ?? {
          start: ({ command, by }) =>
            refused(by.step, `starts '${command[0]}'`, 'programs', 'no program can see'),
          endGroup: async () => 'elsewhere',
        }
      )
    },
    simulated: {
      http: http !== undefined || folder === undefined,
      processes: children === undefined,
    },
    close: async () => children?.close(),
  }
}

async function refused(step: string, does: string, option: string, whom: string): Promise<never> {
  throw new StepFailure(
    `Step '${step}' ${does}, and this run lives in a simulated world, which ${whom}. Run it with disk: 'folder', or say with ` +
      `the option '${option}' what stands in.`,
    { kind: 'validation', category: 'permanent', code: 'SIMULATED_WORLD' },
  )
}
