import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { canaries, obviousBug } from './canaries.ts'
import type { Canary } from './canaries.ts'
import { foundBySweep, swept } from './found.ts'
import type { FoundCanary } from './found.ts'
import { passesOrdinaryTests } from './ordinary-tests.ts'
import { canaryPage } from './page.ts'
import { patched, patchedDriver } from './patched-engine.ts'

const sought = new Map<Canary, Promise<FoundCanary | undefined>>()

/** Each canary is sought once for all tests. */
async function found(canary: Canary): Promise<FoundCanary | undefined> {
  const finding = sought.get(canary) ?? foundBySweep(canary)
  sought.set(canary, finding)
  return finding
}

describe.each(canaries)('$name', (canary) => {
  test('applies to the source as it is', () => {
    const source = readFileSync(new URL(`../../${canary.file}`, import.meta.url), 'utf8')
    expect(patched(source, canary)).not.toBe(source)
  })

  test('passes the ordinary tests', async () => {
    await passesOrdinaryTests(await patchedDriver(canary.name))
  })

  test('is found by the sweep', async () => {
    expect(await found(canary)).toBeDefined()
  })

  test('is shown by a plan that is no larger than it takes, and by its file again', async () => {
    const { finding, brokenAgain } = (await found(canary)) ?? {}
    const { faults = [], steps, invariants } = finding?.minimised ?? {}
    expect(faults).toHaveLength(canary.takes ?? 1)
    const { length } = 'steps' in canary.workflow ? canary.workflow.steps : canary.workflow.nodes
    expect(steps?.length).toBeLessThanOrEqual(length)
    expect(brokenAgain).toEqual(expect.arrayContaining([...(invariants ?? ['none'])]))
  })
})

describe('the engine as it is, loaded like a canary', () => {
  test('passes the ordinary tests', async () => {
    await passesOrdinaryTests(await patchedDriver())
  })

  test.each([...new Set(canaries.map(({ workflow }) => workflow))])(
    'gives no finding in workflow $id',
    async (workflow) => {
      const { findings } = await swept(workflow, { driver: await patchedDriver() })
      const sentences = findings.flatMap(({ violations }) => violations.map(({ sentence }) => sentence))
      expect(sentences).toEqual([])
    },
  )
})

test('the ordinary tests fail with an obvious bug', async () => {
  const outcome = passesOrdinaryTests(await patchedDriver(obviousBug.name))
  await expect(outcome).rejects.toMatchObject({ name: 'AssertionError' })
})

describe('a canary', () => {
  const canary = { ...(canaries[0] as Canary), text: 'fsync', replacement: '' }

  test.each(['', 'fsync fsync'])('no longer applies when its text is not there once: %j', (source) => {
    expect(() => patched(source, canary)).toThrow('no longer applies')
  })

  test('is in the documentation, with what finds it', { timeout: 600_000 }, async () => {
    const all = await Promise.all(canaries.map(async (each) => [each, await found(each)] as const))
    await expect(canaryPage(all)).toMatchFileSnapshot('../../docs/canaries.md')
  })
})
