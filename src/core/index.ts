/**
 * Words: the small pure vocabulary that every other folder speaks (ids, JSON, paths, errors, seeded random, effect
 * programs). Imports nothing, performs nothing.
 */
export * from './assert.ts'
export * from './bytes.ts'
export * from './deferred.ts'
export * from './duration.ts'
export * from './errors.ts'
export * from './ids.ts'
export * from './index-set.ts'
export * from './json.ts'
export * from './json-diff.ts'
export * from './path.ts'
export * from './persistent-vector.ts'
export * from './program.ts'
export * from './random.ts'
export * from './suggest.ts'
export * from './system-error.ts'
export * from './utc-day.ts'
export * from './utf8.ts'
