import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { OwnerIdentity, OwnerPort } from '../../ports/index.ts'
import { machineBootId, processStartTime, unknownFact } from './process-facts.ts'

/**
 * This process as the holder of runs. A holder on this machine is alive when its process runs and is still the same
 * process; where that cannot be told apart it counts as alive, since a run must never have two holders.
 */
export function createSystemOwner(): OwnerPort {
  const self: OwnerIdentity = {
    nonce: randomBytes(8).toString('hex'),
    pid: process.pid,
    startTime: processStartTime(process.pid) ?? unknownFact,
    bootId: machineBootId(),
    host: hostname(),
  }
  return {
    self,
    liveness(owner) {
      if (owner.invented) return 'dead'
      if (owner.host !== self.host) return 'elsewhere'
      if (differs(owner.bootId, self.bootId)) return 'dead'
      const startTime = processStartTime(owner.pid)
      return startTime === undefined || differs(startTime, owner.startTime) ? 'dead' : 'alive'
    },
  }
}

function differs(left: string, right: string): boolean {
  return left !== right && left !== unknownFact && right !== unknownFact
}
