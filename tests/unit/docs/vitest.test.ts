import { describe, expect, test } from 'vitest'
import type { FaultlinePluginOptions } from '../../../src/vitest/plugin.ts'
import type { FaultlineFixtures } from '../../../src/vitest/index.ts'
import { readPage, tableRows } from '../../support/markdown.ts'

/** A new one does not compile until it is here. */
const options: Readonly<Record<keyof FaultlinePluginOptions, true>> = {
  bundles: true,
  hangGraceMs: true,
  keep: true,
  limits: true,
  maxBundles: true,
  redact: true,
  requiresLlm: true,
  seed: true,
  templates: true,
}

const fixtures: Readonly<Record<Exclude<keyof FaultlineFixtures, 'faultlineRecorder'>, true>> = {
  agents: true,
  clock: true,
  correlationId: true,
  mockAgent: true,
  project: true,
  seed: true,
  template: true,
}

describe('docs/vitest.md', () => {
  const named = tableRows(readPage('docs/vitest.md')).map(([name = '']) => name)

  test.each([
    ['option', 'fixture', options],
    ['fixture', 'reason', fixtures],
  ])('lists every %s', (from, to, known) => {
    const listed = named.slice(named.indexOf(from) + 1, named.indexOf(to))
    expect(listed.toSorted()).toEqual(Object.keys(known))
  })
})
