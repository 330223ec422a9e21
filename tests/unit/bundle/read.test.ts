import { describe, expect, test } from 'vitest'
import { createVirtualFiles, type VirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { readBundle } from '../../../src/bundle/index.ts'
import { timelineOf } from '../../../src/trace/index.ts'
import { sampleContent, sampleFolder, writeSample } from '../../support/sample-bundle.ts'
import { sampleRecording } from '../../support/sample-run.ts'

async function withManifest(change: (manifest: Record<string, unknown>) => unknown): Promise<VirtualFiles> {
  const { files } = await writeSample()
  const path = `${sampleFolder}/manifest.json`
  const bytes = files.perform({ op: 'read', path }) ?? new Uint8Array()
  const manifest = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>
  files.perform({ op: 'write', path, data: JSON.stringify(change(manifest)) })
  return files
}

describe('reading a bundle', () => {
  test('gives back what was written', async () => {
    const { files, location } = await writeSample()
    const bundle = await readBundle(files, sampleFolder)
    const recording = sampleRecording()
    expect(bundle.manifest).toEqual(location.manifest)
    expect(bundle.events).toEqual(recording.events)
    expect(bundle.timeline).toEqual(timelineOf(recording.events))
    expect(bundle.snapshots).toEqual(recording.snapshots)
    expect(bundle.plan).toEqual(recording.plan)
    expect(bundle.resolvedPlan).toEqual(recording.resolvedPlan)
    expect(bundle.definition).toEqual(recording.definition)
    expect(bundle.input).toEqual(recording.input)
    expect(bundle.logs).toEqual(recording.logs)
    expect(await bundle.text('artifacts/dist/app.js')).toBe('app.run()\n')
  })

  test('gives back every session', async () => {
    const { files } = await writeSample(sampleContent({ sessions: [sampleRecording(), sampleRecording()] }))
    const { sessions } = await readBundle(files, sampleFolder)
    expect(sessions.map(({ entry, events }) => [entry.folder, events.length])).toEqual([
      ['', 24],
      ['sessions/2', 24],
    ])
  })

  test('works for a test that got to no session', async () => {
    const { files } = await writeSample(sampleContent({ sessions: [] }))
    expect(await readBundle(files, sampleFolder)).toMatchObject({ sessions: [], events: [], plan: null })
  })

  test('reads null for a part that was left out for its size', async () => {
    const { files } = await writeSample(sampleContent(), { limits: { fileBytes: 2_000 } })
    const bundle = await readBundle(files, sampleFolder)
    expect(bundle.snapshots).toEqual({
      beforeFailure: null,
      atFailure: null,
      beforeResume: [null],
      afterResume: [null],
    })
    expect(bundle.plan).toEqual(sampleRecording().plan)
  })

  test('ignores fields of a later minor version and takes an unknown reason for other', async () => {
    const files = await withManifest((manifest) => ({ ...manifest, reason: 'eclipse', moonPhase: 3 }))
    const { manifest } = await readBundle(files, sampleFolder)
    expect(manifest.reason).toBe('other')
    expect(manifest).not.toHaveProperty('moonPhase')
  })

  test('refuses a newer major version', async () => {
    const files = await withManifest((manifest) => ({ ...manifest, schema: 'faultline-bundle/2' }))
    await expect(readBundle(files, sampleFolder)).rejects.toMatchObject({
      code: 'BUNDLE_NEWER',
      message: `The bundle '${sampleFolder}/manifest.json' has format 2; this faultline reads up to 1. Update faultline to open it.`,
    })
  })

  test.each([
    [
      'another schema',
      (manifest: Record<string, unknown>) => ({ ...manifest, schema: 'x' }),
      "its 'schema' is \"x\", not 'faultline-bundle/1'",
    ],
    ['no schema', () => [], "its 'schema' is absent, not 'faultline-bundle/1'"],
    [
      'wrong fields',
      (manifest: Record<string, unknown>) => ({ ...manifest, kind: 'x', partial: undefined }),
      'its fields are not as they should be (kind: Invalid option: expected one of "test"|"run"; partial: Invalid input: expected boolean, received undefined)',
    ],
  ])('says what is wrong with a manifest that has %s', async (_, change, what) => {
    await expect(readBundle(await withManifest(change), sampleFolder)).rejects.toMatchObject({
      code: 'BUNDLE_INVALID',
      message: `'${sampleFolder}/manifest.json' is not the manifest of a bundle: ${what}. Name the folder of one bundle, as printed with the failure.`,
    })
  })

  test('says which file is missing', async () => {
    const { files } = await writeSample()
    files.perform({ op: 'remove', path: `${sampleFolder}/events.jsonl` })
    await expect(readBundle(files, sampleFolder)).rejects.toThrow(
      `The bundle '${sampleFolder}' is damaged: its file 'events.jsonl' is missing. Copy it again from where it was made.`,
    )
  })

  test('says which line is broken', async () => {
    const { files } = await writeSample()
    files.perform({ op: 'write', path: `${sampleFolder}/events.jsonl`, data: '{}\n{"a"\n' })
    await expect(readBundle(files, sampleFolder)).rejects.toThrow("'events.jsonl:2' is not JSON")
  })

  test('names the bundles in a folder that holds some', async () => {
    const { files } = await writeSample()
    await expect(readBundle(files, 'faultline-bundles/suite-1')).rejects.toMatchObject({
      code: 'BUNDLE_INVALID',
      message: `'faultline-bundles/suite-1' is not a bundle: it has no manifest.json. It holds bundles; name one of them: ${sampleFolder}.`,
    })
  })

  test('says when there is no such folder', async () => {
    await expect(readBundle(createVirtualFiles(), 'nowhere')).rejects.toThrow(
      "'nowhere' is not a bundle: it has no manifest.json. There is no such folder.",
    )
  })

  test('says when writing was interrupted', async () => {
    await expect(readBundle(createVirtualFiles({ 'b/summary.md': '' }), 'b')).rejects.toThrow(
      "'b' is not a bundle: it has no manifest.json. Either it is another folder, or the process died while it wrote the bundle.",
    )
  })

  test('suggests a file when one is mistyped', async () => {
    const { files } = await writeSample()
    const bundle = await readBundle(files, sampleFolder)
    await expect(bundle.text('sumary.md')).rejects.toThrow(
      `The bundle '${sampleFolder}' has no file 'sumary.md'. Did you mean 'summary.md'?`,
    )
  })
})
