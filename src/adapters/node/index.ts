/**
 * The real machine behind the ports: files below one folder, time, turns of the event loop, child
 * processes, HTTP, run ids, digests, the identity
 * of this process; and temporary folders with project templates in them. Everything is a value made by a function; nothing
 * is decided here.
 */
export * from './agents-module.ts'
export * from './child-processes.ts'
export * from './commit.ts'
export * from './ambient-watch.ts'
export * from './compression.ts'
export * from './cpu-time.ts'
export * from './digest.ts'
export * from './environment.ts'
export * from './folder-watch.ts'
export * from './http-service.ts'
export { createNodeFiles, type NodeFiles } from './node-files.ts'
export * from './replay-environment.ts'
export * from './system-clock.ts'
export * from './system-ids.ts'
export * from './system-owner.ts'
export * from './template-files.ts'
export * from './template-folders.ts'
export * from './temporary-folders.ts'
export * from './turn.ts'
export * from './versions.ts'
