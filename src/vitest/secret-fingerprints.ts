import { createHmac, randomBytes } from 'node:crypto'

/** A secret by its name, and what tells its value from another one to whoever has the key. */
export interface NotedSecret {
  readonly name: string
  readonly fingerprint: string
}

/**
 * Of the run, made in the main process. Workers are told it and never write it down: without it a fingerprint says nothing of
 * a value, however short that is.
 */
export const ownKey = randomBytes(32).toString('base64')

export function fingerprintOf(value: string, key: string): string {
  return createHmac('sha256', key).update(value).digest('base64')
}
