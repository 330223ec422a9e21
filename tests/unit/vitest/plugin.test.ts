import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { FaultlineReporter } from '../../../src/vitest/reporter.ts'
import { faultline } from '../../../src/vitest/plugin.ts'
import type { FaultlinePluginOptions } from '../../../src/vitest/plugin.ts'
import type { FaultlineSettings } from '../../../src/vitest/settings.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const closings: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closings.splice(0)) await close()
})

interface Configured {
  readonly tags: readonly { readonly name: string; readonly timeout?: number; readonly skip?: boolean }[]
  readonly exclude: readonly string[]
  readonly provided: readonly FaultlineSettings[]
  readonly reporters: readonly FaultlineReporter[]
}

/** What the plugin makes of a Vitest with so many projects. */
async function configured(
  options: FaultlinePluginOptions,
  projects = 1,
  inspector = false,
): Promise<Configured> {
  const plugin = faultline(options) as unknown as {
    config(): Promise<void>
    configureVitest(context: unknown): void
  }
  await plugin.config()
  const reporters: FaultlineReporter[] = []
  const vitest = {
    version: '4.1.12',
    config: { root: temporaryFolder(), reporters, inspector: { enabled: inspector } },
    onClose: (close: () => Promise<void>) => closings.push(close),
  }
  const config = { tags: [], exclude: [], hookTimeout: 10_000 }
  const provided: FaultlineSettings[] = []
  for (let index = 0; index < projects; index++) {
    const provide = (_: string, settings: FaultlineSettings): number => provided.push(settings)
    plugin.configureVitest({ vitest, project: { config, provide } })
  }
  return { ...config, provided, reporters: reporters.filter((each) => each instanceof FaultlineReporter) }
}

describe('the plugin', () => {
  test('adds one reporter and its tags, and tells the workers what they need', async () => {
    const { tags, provided, reporters } = await configured({ limits: { testMs: 60_000 }, redact: [/x/i] }, 2)
    expect(reporters).toHaveLength(1)
    expect(tags.slice(0, 2)).toMatchObject([
      { name: 'e2e_workflow', timeout: 60_000 },
      { name: 'requires_llm', skip: true },
    ])
    expect(provided[0]).toMatchObject({
      bundles: reporters[0]?.folder,
      bundleSlots: { max: 20 },
      journals: reporters[0]?.journals,
      silence: { hookMs: 10_000, graceMs: 5_000 },
      keep: 'never',
      limits: { stepMs: 10_000, workflowMs: 20_000, testMs: 60_000 },
      redact: [{ source: 'x', flags: 'i' }],
      replay: null,
    })
    expect(structuredClone(provided[0])).toEqual(provided[0])
  })

  test('gives nobody up under a debugger', async () => {
    expect((await configured({}, 1, true)).provided[0]?.silence).toBeNull()
  })

  test.each([
    [undefined, '**/faultline-bundles/**'],
    ['./reports/bundles/', '**/reports/bundles/**'],
  ])('looks for no tests in the bundles of %s', async (bundles, pattern) => {
    const { exclude } = await configured(bundles === undefined ? {} : { bundles })
    expect(exclude).toEqual([pattern])
  })

  test.each(['never', 'on-failure', 'always'] as const)(
    'with keep: %s leaves only what is kept',
    async (keep) => {
      const { provided } = await configured({ keep })
      const empty = provided[0]?.projectsRoot ?? ''
      expect(existsSync(empty)).toBe(true)
      await closings.pop()?.()
      expect(existsSync(empty)).toBe(false)
    },
  )

  test('keeps a folder with projects in it', async () => {
    const { provided } = await configured({ keep: 'always' })
    const folder = provided[0]?.projectsRoot ?? ''
    mkdirSync(join(folder, 'shop-1'))
    await closings.pop()?.()
    expect(existsSync(join(folder, 'shop-1'))).toBe(true)
    rmSync(folder, { recursive: true })
  })

  test.each([
    [{ limits: { stepMs: 20_000 } }, 'step < workflow < test'],
    [{ limits: { testMs: 20_000 } }, 'step < workflow < test'],
    [{ limits: { stepMs: Number.NaN } }, 'step < workflow < test'],
    [{ maxBundles: -1 }, 'maxBundles'],
    [{ maxBundles: 1.5 }, 'maxBundles'],
    [{ hangGraceMs: -1 }, 'hangGraceMs'],
    [{ hangGraceMs: Infinity }, 'hangGraceMs'],
  ])('refuses %j', (options, message) => {
    expect(() => faultline(options)).toThrow(message)
  })
})
