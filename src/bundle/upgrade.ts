import type { JsonObject } from '../core/index.ts'

/** Turns the manifest of one major version into that of the next. */
export type UpgradeStep = (manifest: JsonObject) => JsonObject

/**
 * The step at index n makes a manifest of major n + 2 out of one of major n + 1. A new major adds its step here and a bundle
 * of the old one to `tests/golden/bundles`; the steps that are there are never changed.
 */
export const upgradeSteps: readonly UpgradeStep[] = []

/** Brings a manifest of an older major up to the newest, one step after another. */
export function upgradedManifest(
  manifest: JsonObject,
  major: number,
  steps: readonly UpgradeStep[] = upgradeSteps,
): JsonObject {
  return steps.slice(major - 1).reduce((older, step) => step(older), manifest)
}
