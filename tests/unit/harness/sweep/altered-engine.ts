import { createReferenceDriver } from '../../../../src/engine/index.ts'
import type { DriverPorts, Incarnation, WorkflowDriver } from '../../../../src/ports/index.ts'

/** The reference engine with something wrong, in every life of it and in every fork of one. */
export function altered(
  ports: (ports: DriverPorts) => DriverPorts,
  incarnation: (incarnation: Incarnation, ports: DriverPorts) => Incarnation,
): WorkflowDriver {
  const inner = createReferenceDriver()
  const altering = (born: (given: DriverPorts) => Incarnation) => (given: DriverPorts) => {
    const theirs = ports(given)
    const life = born(theirs)
    return {
      ...incarnation(life, theirs),
      fork() {
        const fork = life.fork?.()
        return fork && altering(fork)
      },
    }
  }
  return { ...inner, incarnate: altering((given) => inner.incarnate(given)) }
}

export function withPorts(changed: (ports: DriverPorts) => DriverPorts): WorkflowDriver {
  return altered(changed, (incarnation) => incarnation)
}

export function withIncarnation(changed: (incarnation: Incarnation) => Incarnation): WorkflowDriver {
  return altered((ports) => ports, changed)
}
