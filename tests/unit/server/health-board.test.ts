import { describe, expect, test } from 'vitest'
import type { WorkflowDefinition } from '../../../src/definition/index.ts'
import { createHealthBoard, servicesOf } from '../../../src/server/index.ts'

const workflow = (id: string, services: WorkflowDefinition['services']): WorkflowDefinition => ({
  id,
  name: id,
  version: '1',
  limits: { maxConcurrentSteps: 1 },
  ...(services === undefined ? {} : { services }),
  steps: [],
  edges: [],
  metadata: {},
})

describe('the services of several workflows', () => {
  test('are one where name and settings are the same, and two where they are not', () => {
    const services = servicesOf([
      workflow('a', { api: { url: 'x', port: 1 }, web: {} }),
      workflow('b', { api: { port: 1, url: 'x' } }),
      workflow('c', { api: { url: 'other' } }),
      workflow('d', undefined),
    ])
    expect(services.map(({ name, workflows }) => [name, workflows])).toEqual([
      ['api', ['a', 'b']],
      ['web', ['a']],
      ['api', ['c']],
    ])
  })
})

describe('a board of health', () => {
  const services = servicesOf([workflow('a', { api: { url: 'x' }, web: { base_url: 'y' }, none: {} })])

  test('asks every service side by side, and shows its address as it is written', async () => {
    let [now, asking, most] = [100, 0, 0]
    const board = createHealthBoard(
      services,
      async () => {
        most = Math.max(most, ++asking)
        await Promise.resolve()
        asking--
        now += 5
        return { status: 'up', detail: 'well' }
      },
      () => now,
    )
    const listed = await board.list()
    expect(most).toBe(3)
    expect(listed.map(({ name, url }) => [name, url])).toEqual([
      ['api', 'x'],
      ['web', 'y'],
      ['none', null],
    ])
    expect(listed[0]).toEqual({
      name: 'api',
      url: 'x',
      workflows: ['a'],
      health: { status: 'up', detail: 'well', checkedAt: 115, durationMs: 15 },
    })
  })

  test('asks again only when five seconds have passed, and never twice at once', async () => {
    let [now, asked] = [0, 0]
    const board = createHealthBoard(
      services.slice(0, 1),
      async () => ({ status: 'up', detail: `asked ${++asked}` }),
      () => now,
    )
    await Promise.all([board.list(), board.list()])
    now = 4_999
    await board.list()
    expect(asked).toBe(1)
    now = 5_000
    expect((await board.list())[0]?.health.detail).toBe('asked 2')
  })
})
