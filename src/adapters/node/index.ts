/**
 * The real machine behind the ports: files below one folder, time, turns of the event loop, run ids, digests, the identity
 * of this process, and temporary folders. The one folder of the domain that touches Node; it decides nothing.
 */
export * from './digest.ts'
export { createNodeFiles, type NodeFiles } from './node-files.ts'
export * from './system-clock.ts'
export * from './system-ids.ts'
export * from './turn.ts'
