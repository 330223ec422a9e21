/**
 * The engine in a process of one's own: `createEngine` starts runs in the background, over the real machine unless other ports
 * are given, and hands out handles for them. With it stands all that `engine` offers: this is the entry `faultline/engine`.
 */
export * from '../engine/index.ts'
export { createEngine } from './create-engine.ts'
export type {
  Engine,
  EngineOptions,
  EnginePorts,
  RunStanding,
  StartOptions,
  TakeUpOptions,
} from './create-engine.ts'
export type { EngineObserver, MetricsSink, StepMetrics } from './observers.ts'
export type { RunHandle, RunResult } from './run-handle.ts'
