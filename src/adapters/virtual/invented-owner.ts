import type { OwnerPort } from '../../ports/index.ts'

/**
 * The owner that one incarnation of the harness poses as. No process stands behind it: only itself counts as alive, and
 * everybody else's invented identities are dead.
 *
 * @param nonce Tells this incarnation from all others.
 * @param real Judges identities that are not invented; without it they are dead.
 */
export function createInventedOwner(nonce: string, real?: OwnerPort): OwnerPort {
  return {
    self: {
      nonce,
      pid: 0,
      startTime: 'invented',
      bootId: 'invented',
      host: 'invented',
      invented: true,
    },
    liveness(owner) {
      if (owner.invented) return owner.nonce === nonce ? 'alive' : 'dead'
      return real?.liveness(owner) ?? 'dead'
    },
  }
}
