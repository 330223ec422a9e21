import { askHealth } from '../built-in-steps/index.ts'
import type { HealthPorts, ServiceHealth } from '../built-in-steps/index.ts'
import { canonicalJson } from '../core/index.ts'
import type { WorkflowDefinition } from '../definition/index.ts'
import type { AgentService } from '../ports/index.ts'
import type { ShownService } from '../viewer/index.ts'

export interface ServedService extends AgentService {
  /** Ids of the workflows that name it. */
  readonly workflows: readonly string[]
}

/** Knows how services are, and asks anew only when that is old. */
export interface HealthBoard {
  list(): Promise<readonly ShownService[]>
}

const longestMs = 2_000
const freshMs = 5_000

/** One entry for each service of all definitions; two of one name with different settings are two. */
export function servicesOf(definitions: readonly WorkflowDefinition[]): readonly ServedService[] {
  const found = new Map<string, ServedService>()
  for (const { id, services = {} } of definitions) {
    for (const [name, settings] of Object.entries(services)) {
      const key = canonicalJson([name, settings])
      const workflows = found.get(key)?.workflows ?? []
      found.set(key, { name, settings, workflows: [...workflows, id] })
    }
  }
  return [...found.values()]
}

/** Services are asked side by side, each for no longer than two seconds. */
export function checkedServices(
  ports: Omit<HealthPorts, 'signal'>,
): (service: AgentService) => Promise<ServiceHealth> {
  return (service) => askHealth(service, { ...ports, signal: AbortSignal.timeout(longestMs) })
}

export function createHealthBoard(
  services: readonly ServedService[],
  check: (service: AgentService) => Promise<ServiceHealth>,
  now: () => number,
): HealthBoard {
  const entries = services.map((service) => {
    let last: { readonly at: number; readonly answer: Promise<ShownService> } | undefined
    return (): Promise<ShownService> => {
      if (last === undefined || now() - last.at >= freshMs) last = { at: now(), answer: listed(service) }
      return last.answer
    }
  })

  const listed = async (service: ServedService): Promise<ShownService> => {
    const { name, settings, workflows } = service
    const address = settings['url'] ?? settings['base_url']
    const begun = now()
    const health = await check(service)
    const checkedAt = now()
    return {
      name,
      url: typeof address === 'string' ? address : null,
      workflows,
      health: { ...health, checkedAt, durationMs: Math.max(0, checkedAt - begun) },
    }
  }
  return { list: () => Promise.all(entries.map((entry) => entry())) }
}
