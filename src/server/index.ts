/**
 * The service of runs: HTTP on this machine alone, for the workflows that it is given. Shows them, their services with their health and
 * the runs of the store, starts runs, and has a page that shows all of it live. Knows no authentication: it listens on loopback and
 * refuses what comes from another host or origin. Loaded by `faultline serve` and by nothing else.
 */
export { checkedServices, createHealthBoard, servicesOf } from './health-board.ts'
export type { LoopbackHost } from './same-origin.ts'
export { startService } from './start-service.ts'
export type { RunningService } from './start-service.ts'
