import type { BoundaryTable } from './boundaries.ts'

const words = ['core']
const contracts = [...words, 'definition', 'ports', 'trace']
const domain = [
  ...contracts,
  'engine',
  'built-in-steps',
  'fault-injection',
  'adapters/virtual',
  'adapters/node',
]
const composed = [...domain, 'harness', 'harness/invariants', 'bundle', 'viewer', 'drivers']

/**
 * Imports go down, never up, never sideways. Four sentences of the design are rows here: the engine does not know
 * faults; fault injection does not know the engine; the harness does not know Vitest; the viewer does not know the
 * engine. The invariants (`harness/invariants`) know neither the engine nor the formats it is built on: they judge by their own reading.
 */
export const allowedImports: BoundaryTable = {
  folders: {
    core: { layer: 0, imports: [] },

    definition: { layer: 1, imports: words },
    trace: { layer: 1, imports: [...words, 'definition'] },
    ports: { layer: 1, imports: [...words, 'definition', 'trace'] },

    engine: { layer: 2, imports: contracts },
    'built-in-steps': { layer: 2, imports: contracts },
    'fault-injection': { layer: 2, imports: contracts },
    'adapters/virtual': { layer: 2, imports: contracts },
    'adapters/node': { layer: 2, imports: contracts, machine: true },

    embedding: { layer: 3, imports: domain },
    harness: { layer: 3, imports: [...domain, 'harness/invariants'] },
    'harness/invariants': { layer: 3, imports: words },
    bundle: {
      layer: 3,
      imports: [...contracts, 'fault-injection', 'adapters/virtual', 'adapters/node', 'viewer'],
    },
    viewer: { layer: 3, imports: [...contracts, 'viewer/page/browser'] },
    'viewer/page/browser': { layer: 0, imports: [], machine: true },
    drivers: { layer: 3, imports: [...contracts, 'adapters/virtual', 'adapters/node'], machine: true },

    arbitraries: { layer: 4, imports: [...contracts, 'engine', 'harness'] },
    vitest: { layer: 4, imports: composed, machine: true },
    cli: { layer: 4, imports: [...composed, 'embedding', 'server'], machine: true },
    server: {
      layer: 4,
      imports: [...contracts, 'engine', 'built-in-steps', 'adapters/node', 'viewer'],
      machine: true,
    },
  },
  packages: {
    '@vitest/runner': ['vitest'],
    '@hono/node-server': ['server'],
    commander: ['cli'],
    fflate: ['bundle'],
    'fast-check': ['arbitraries'],
    hono: ['server'],
    jiti: ['adapters/node', 'cli', 'vitest'],
    memfs: ['adapters/virtual'],
    picocolors: ['cli'],
    'tmp-promise': ['adapters/node', 'vitest', 'cli'],
    vitest: ['vitest', 'cli'],
  },
  // Contracts build on one another in this order (observers and drivers speak in events); the harness composes its own
  // invariants; a bundle holds a page; a command starts the service.
  sideways: [
    'trace -> definition',
    'ports -> definition',
    'ports -> trace',
    'harness -> harness/invariants',
    'bundle -> viewer',
    'cli -> server',
  ],
}
