/**
 * Vitest for workflows: `test` with fixtures, `expect` with matchers, and a failure bundle for every failing test that uses
 * them. Knows Vitest, so that the harness need not.
 */
import './matchers.ts'

export { describe, expect } from 'vitest'
export { test } from './fixtures.ts'
export type { FaultlineFixtures, FaultlineTest } from './fixtures.ts'
export type { EachFault, EachFaultBody, EachFaultOptions } from './each-fault.ts'
