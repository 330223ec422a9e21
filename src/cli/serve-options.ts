import type { LoopbackHost } from '../server/index.ts'
import type { StateDirectoryOption } from './state-directory.ts'

export interface ServeOptions extends StateDirectoryOption {
  readonly port: number
  readonly host: LoopbackHost
  readonly agents?: string
  readonly mock?: boolean
  readonly mockDelay: number
  readonly grace: number
  readonly force?: boolean
}
