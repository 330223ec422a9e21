import { resolve } from 'node:path'
import { inject } from 'vitest'
import { ownKey } from './secret-fingerprints.ts'
import { defaultBundles, defaultLimits } from './settings.ts'
import type { FaultlineSettings } from './settings.ts'

/** By which the main process knows its own secrets again. */
export function fingerprintKey(): string {
  return (inject('faultlineKey') as string | undefined) ?? ownKey
}

/** What the plugin has provided, or defaults that work without it. */
export function settings(): FaultlineSettings {
  const provided = inject('faultline') as FaultlineSettings | undefined
  return (
    provided ?? {
      root: resolve('.'),
      testRoot: resolve('.'),
      projectsRoot: null,
      bundles: `${defaultBundles}/without-plugin`,
      bundleSlots: null,
      journals: null,
      silence: null,
      templates: null,
      keep: 'never',
      seed: 1,
      limits: defaultLimits,
      redact: [],
      replay: null,
      vitest: 'unknown',
      faultline: 'unknown',
    }
  )
}
