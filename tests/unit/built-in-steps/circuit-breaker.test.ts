import { expect, test } from 'vitest'
import { CircuitBreaker, circuitDefaults } from '../../../src/built-in-steps/circuit-breaker.ts'

test('a circuit opens after failures in a row, and a success in between starts the count anew', () => {
  const breaker = new CircuitBreaker(circuitDefaults)
  const states: string[] = []
  for (const outcome of ['failed', 'failed', 'succeeded', 'failed', 'failed', 'failed'] as const) {
    expect(breaker.refusedFor(0)).toBeUndefined()
    if (outcome === 'failed') breaker.failed(0)
    else breaker.succeeded()
    states.push(breaker.state(0))
  }
  expect(states).toEqual(['closed', 'closed', 'closed', 'closed', 'closed', 'open'])
  expect([breaker.refusedFor(0), breaker.refusedFor(299_999)]).toEqual([300_000, 1])
})

test('a circuit whose time is up lets one call through, and goes by its outcome', () => {
  const breaker = new CircuitBreaker({ failures: 1, resetAfterMs: 100 })
  breaker.failed(0)
  expect([breaker.state(99), breaker.state(100)]).toEqual(['open', 'half-open'])
  expect(breaker.refusedFor(100)).toBeUndefined()
  expect(breaker.refusedFor(100)).toBe(0)
  breaker.failed(150)
  expect([breaker.state(249), breaker.state(250)]).toEqual(['open', 'half-open'])
  expect(breaker.refusedFor(250)).toBeUndefined()
  breaker.succeeded()
  expect(breaker.state(250)).toBe('closed')
  expect([breaker.refusedFor(250), breaker.refusedFor(250)]).toEqual([undefined, undefined])
})
