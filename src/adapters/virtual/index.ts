/**
 * Worlds in memory behind the ports: a disk that knows what would survive a power loss, a clock that goes on when told,
 * ids from a seed, invented owners, services and programs that are functions, and a memfs volume for projects that need the whole `fs` API. Everything is
 * deterministic and answers at once; nothing reaches the machine.
 */
export * from './invented-owner.ts'
export * from './memfs-files.ts'
export * from './seeded-ids.ts'
export * from './simulated-http.ts'
export * from './simulated-processes.ts'
export * from './virtual-clock.ts'
export { createVirtualFiles, type VirtualFiles } from './virtual-files.ts'
