/** How a replay tells the plugin, in the process it starts, what is being replayed: one variable, plain JSON. */
export interface ReplayEnvironment {
  /** Absolute folder for what the replay leaves. */
  readonly output: string
  readonly file: string
  readonly fullName: string
  readonly seed: number | string | null
}

export const replayVariable = 'FAULTLINE_REPLAY'

export function parseReplayEnvironment(text: string | undefined): ReplayEnvironment | undefined {
  return text === undefined || text === '' ? undefined : (JSON.parse(text) as ReplayEnvironment)
}
