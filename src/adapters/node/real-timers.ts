/**
 * The machine's own time and timers, taken when this module is loaded: a test that later puts fake timers into
 * `globalThis` must not stop the workflow runs, nor the guard against waiting for ever, that it is observing.
 */
export const realNow = Date.now
export const realSetTimeout = globalThis.setTimeout
export const realClearTimeout = globalThis.clearTimeout
export const realSetImmediate = globalThis.setImmediate
export const realClearImmediate = globalThis.clearImmediate

/** Longer delays overflow Node's timers, which then fire at once. */
export const longestDelayMs = 2 ** 31 - 1
