import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { format } from 'prettier'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createDigest } from '../../../src/adapters/node/index.ts'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { bundleJsonSchema, readBundle, summaryMarkdown, unpackBundle } from '../../../src/bundle/index.ts'
import type { Bundle } from '../../../src/bundle/index.ts'
import { bundleMajor } from '../../../src/bundle/manifest.ts'
import { upgradedManifest, upgradeSteps } from '../../../src/bundle/upgrade.ts'
import { isJsonObject } from '../../../src/core/index.ts'
import type { JsonObject, JsonValue } from '../../../src/core/index.ts'
import { repository } from '../../support/markdown.ts'
import { sampleContent, sampleFolder, writeSample } from '../../support/sample-bundle.ts'

const goldenFolder = join(repository, 'tests/golden/bundles')

/** A bundle that an earlier build has left. */
async function golden(name: string): Promise<{ readonly bundle: Bundle; readonly manifest: JsonObject }> {
  const zip = readFileSync(join(goldenFolder, `${name}.zip`))
  const { files } = await unpackBundle(zip, name, createDigest())
  const disk = createVirtualFiles(Object.fromEntries([...files].map(([path, bytes]) => [`b/${path}`, bytes])))
  const manifest = JSON.parse(new TextDecoder().decode(files.get('manifest.json'))) as JsonObject
  return { bundle: await readBundle(disk, 'b'), manifest }
}

describe('a bundle of format 1', () => {
  test('of a test is read whole', async () => {
    const { bundle } = await golden('v1/test')
    expect(bundle.manifest.test?.fullName).toBe('resumes, and is run again')
    expect(bundle.manifest.versions.template?.name).toBe('small')
    expect(
      bundle.sessions.map(({ events, snapshots }) => [events.length, snapshots.beforeResume.length]),
    ).toEqual([
      [22, 1],
      [18, 0],
    ])
    expect(bundle.snapshots.atFailure?.state.error?.step).toBe('review')
    expect(summaryMarkdown(bundle)).toContain('| 21 | +0 ms |  | completed | run completed |')
  })

  test('of a run is read whole', async () => {
    const { bundle } = await golden('v1/run')
    expect(bundle.manifest.run?.arguments).toContain('agent-error:build')
    expect([bundle.input, bundle.events.at(-1)?.kind]).toEqual([{ topic: 'gates' }, 'workflow_end'])
  })

  test('of a session that crashed tells what was durable and what was lost', async () => {
    const { bundle } = await golden('v1/crashes')
    expect(bundle.manifest.sessions[0]).toMatchObject({
      crashes: ['disk/crash-1.json', 'disk/crash-2.json'],
      originals: 'template',
    })
    expect(bundle.crashes.map((crash) => [crash?.outcome, crash?.incarnation])).toEqual([
      ['torn-half', 1],
      ['power-min', 2],
    ])
    expect(bundle.crashes[0]?.unsynced.filter(({ fate }) => fate === 'torn').map(({ path }) => path)).toEqual(
      ['.workflow/runs/essay-f40b5804/staging/words#1@1/words.txt'],
    )
    expect(await bundle.text('originals/src/app.js')).toContain('export function toFahrenheit')
  })

  test('that does not tell of crashes and originals has none', async () => {
    const { bundle, manifest } = await golden('v1/test')
    expect((manifest['sessions'] as readonly JsonObject[])[0]).not.toHaveProperty('crashes')
    expect(bundle.manifest.sessions[0]).toMatchObject({ crashes: null, originals: null })
    expect(bundle.crashes).toEqual([])
  })

  test('that does not tell commit and template has none', async () => {
    const { bundle, manifest } = await golden('v1/run-without-commit')
    expect(manifest['versions']).not.toHaveProperty('commit')
    expect(bundle.manifest.versions).toMatchObject({ commit: null, template: null })
  })

  test('is kept for every major, so that each can still be read', () => {
    const kept = Array.from({ length: bundleMajor }, (_, index) =>
      readFileSync(join(goldenFolder, `v${index + 1}/test.zip`)),
    )
    expect(kept.every(({ length }) => length > 0)).toBe(true)
  })
})

describe('the JSON Schema of the manifest', () => {
  test('is published as it follows from the one that manifests are read with', async () => {
    const text = await format(JSON.stringify(await bundleJsonSchema()), { parser: 'json', printWidth: 110 })
    await expect(text).toMatchFileSnapshot(join(repository, 'docs/bundle.schema.json'))
    const { exports } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
      readonly exports: JsonObject
    }
    expect(exports['./bundle.schema.json']).toBe('./docs/bundle.schema.json')
  })

  test.each(['v1/test', 'v1/run', 'v1/run-without-commit', 'v1/crashes'])('accepts %s', async (name) => {
    const { manifest } = await golden(name)
    expect(await accepts(manifest)).toBe(true)
  })

  test('accepts what is written now and refuses it with anything missing', async () => {
    const manifest = await written()
    expect(await accepts(manifest)).toBe(true)
    for (const member of Object.keys(manifest)) {
      expect([member, await accepts({ ...manifest, [member]: undefined as unknown as JsonValue })]).toEqual([
        member,
        // A reader takes a reason that it does not know, or does not find, for another one.
        member === 'reason',
      ])
    }
    expect(await accepts({ ...manifest, schema: 'faultline-bundle/2' })).toBe(false)
  })

  test('knows every member that is written, and every member that it knows is written, as null if need be', async () => {
    const schema = (await bundleJsonSchema()) as unknown as SchemaNode
    const manifest = await written()
    expect(unlike(manifest, schema, 'manifest')).toEqual([])
    const least = await written({ sessions: [], errors: [], notes: [] }, true)
    expect(unlike(least, schema, 'manifest')).toEqual([])
  })
})

async function written(
  change: Parameters<typeof sampleContent>[0] = {},
  withoutReplay = false,
): Promise<JsonObject> {
  const { replay: _replay, ...content } = sampleContent(change)
  const { texts } = await writeSample(withoutReplay ? content : sampleContent(change))
  return JSON.parse(texts[`${sampleFolder}/manifest.json`] ?? '') as JsonObject
}

async function accepts(manifest: JsonObject): Promise<boolean> {
  const schema = await bundleJsonSchema()
  return z.fromJSONSchema(schema).safeParse(manifest).success
}

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
}

/** Members that only one of the two has. */
function unlike(value: JsonValue, schema: SchemaNode, place: string): readonly string[] {
  if (Array.isArray(value)) {
    return value.flatMap((each: JsonValue) => unlike(each, schema.items ?? {}, `${place}[]`))
  }
  if (!isJsonObject(value)) return []
  const properties = (schema.anyOf?.find((each) => each.properties !== undefined) ?? schema).properties
  if (properties === undefined) return []
  const names = new Set([...Object.keys(value), ...Object.keys(properties)])
  return [...names].flatMap((name) => {
    const [member, known] = [value[name], properties[name]]
    return member === undefined || known === undefined
      ? [`${place}.${name}`]
      : unlike(member, known, `${place}.${name}`)
  })
}

describe('upgrade steps', () => {
  test('are one fewer than there are majors', () => {
    expect(upgradeSteps).toHaveLength(bundleMajor - 1)
  })

  test('are taken one after another from the major that was written', () => {
    const steps = ['two', 'three', 'four'].map((name) => (manifest: JsonObject) => ({
      ...manifest,
      taken: [...(manifest['taken'] as readonly string[]), name],
    }))
    expect(upgradedManifest({ taken: [] }, 1, steps)).toEqual({ taken: ['two', 'three', 'four'] })
    expect(upgradedManifest({ taken: [] }, 3, steps)).toEqual({ taken: ['four'] })
    expect(upgradedManifest({ taken: [] }, 4, steps)).toEqual({ taken: [] })
  })
})
