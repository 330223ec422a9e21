import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** How many bundles a run may leave, and the folder through which its workers share the count. */
export interface BundleSlots {
  readonly folder: string
  readonly max: number
}

/** Takes one of the run's places for bundles; false when all are taken. */
export function takeBundleSlot({ folder, max }: BundleSlots): boolean {
  mkdirSync(folder, { recursive: true })
  for (let slot = readdirSync(folder).length; slot < max; slot++) {
    if (made(join(folder, String(slot)))) return true
  }
  return false
}

/** Making a folder is the one step that only one of several processes can do. */
function made(folder: string): boolean {
  try {
    mkdirSync(folder)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
