import { describe, expect, test } from 'vitest'
import { createRedactor, readBundle } from '../../../src/bundle/index.ts'
import type { BundleManifest } from '../../../src/bundle/index.ts'
import type { CrashReport } from '../../../src/bundle/crash-report.ts'
import type { SessionRecording, UnsyncedFile } from '../../../src/trace/index.ts'
import { sampleContent, sampleFolder, writeSample, type WrittenBundle } from '../../support/sample-bundle.ts'
import { recordingWithHistory, sampleRecording } from '../../support/sample-run.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

async function written(
  change: Partial<SessionRecording> = {},
  target: Parameters<typeof writeSample>[1] = {},
): Promise<WrittenBundle & { readonly manifest: BundleManifest }> {
  const bundle = await writeSample(
    sampleContent({ sessions: [{ ...recordingWithHistory(), ...change }] }),
    target,
  )
  return { ...bundle, manifest: bundle.location.manifest }
}

function crashOf({ texts }: WrittenBundle): CrashReport {
  return JSON.parse(texts[`${sampleFolder}/disk/crash-1.json`] ?? '') as CrashReport
}

/** A crash that met one file. */
function crashed(file: Partial<UnsyncedFile>): Partial<SessionRecording> {
  const whole = { path: 'notes.md', written: null, durable: null, left: null, ...file }
  return {
    crashes: [{ incarnation: 1, seq: 11, outcome: 'power-min', durable: [], unsynced: [whole] }],
  }
}

describe('what artifacts were before', () => {
  test('is in the bundle: every content by its event, and what lay there before the run', async () => {
    const { texts, manifest } = await written()
    expect(texts[`${sampleFolder}/artifacts/dist/app.js`]).toBe('app.run()\n')
    expect(texts[`${sampleFolder}/earlier-artifacts/5/dist/app.js`]).toBe('app.start()\n')
    expect(texts[`${sampleFolder}/originals/dist/app.js`]).toBe('// empty\n')
    expect(manifest.sessions[0]?.originals).toBe('template')
  })

  test('is redacted, names included', async () => {
    const secret = 'hunter2hunter2'
    const path = `dist/${secret}.js`
    const { texts } = await written(
      {
        artifacts: [{ path, bytes: bytes(secret) }],
        earlierArtifacts: [{ seq: 5, path, bytes: bytes(`was ${secret}`) }],
        originals: { from: 'template', files: [{ path, bytes: bytes(`${secret} in the template`) }] },
      },
      { redact: createRedactor({ environment: { SOME_TOKEN: secret } }) },
    )
    expect(Object.entries(texts).flat().join('\n')).not.toContain(secret)
    expect(Object.keys(texts)).toContain(`${sampleFolder}/earlier-artifacts/5/dist/[redacted-SOME_TOKEN].js`)
  })

  test('is left out before anything else when the bundle is full', async () => {
    const { manifest } = await written()
    const total = manifest.files
      .filter(({ path }) => path !== 'summary.md' && path !== 'index.html')
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const { manifest: smaller } = await written({}, { limits: { bundleBytes: total - 20 } })
    expect(smaller.omitted.map(({ path }) => path)).toEqual([
      'earlier-artifacts/5/dist/app.js',
      'originals/dist/app.js',
    ])
  })
})

describe('the disk at a crash', () => {
  test('is a part of the bundle, and null where nothing crashed', async () => {
    const bundle = await written()
    expect(bundle.manifest.sessions[0]?.crashes).toEqual(['disk/crash-1.json'])
    expect(crashOf(bundle)).toEqual({
      incarnation: 1,
      seq: 11,
      outcome: 'torn-half',
      durable: [{ path: 'dist/app.js', sizeBytes: 10 }],
      unsynced: [
        {
          path: 'dist/new.js',
          written: { sizeBytes: 11, sha256: expect.any(String) as string },
          durable: null,
          left: { sizeBytes: 5, sha256: expect.any(String) as string },
          fate: 'torn',
          atStake: { text: 'app.stop()\n', cutFrom: null },
        },
      ],
    })
    const { location } = await writeSample(sampleContent({ sessions: [sampleRecording()] }))
    expect(location.manifest.sessions[0]?.crashes).toBeNull()
  })

  test('is read again as it was written', async () => {
    const bundle = await written()
    const { crashes } = await readBundle(bundle.files, sampleFolder)
    expect(crashes).toEqual([crashOf(bundle)])
  })

  test.each([
    ['kept', { written: bytes('new'), durable: bytes('old'), left: bytes('new') }],
    ['lost', { written: bytes('new'), durable: bytes('old'), left: bytes('old') }],
    ['lost', { written: bytes('new'), durable: null, left: null }],
    ['torn', { written: bytes('new'), durable: null, left: bytes('ne') }],
    ['mixed', { written: bytes('new'), durable: bytes('old'), left: bytes('\0\0w') }],
    ['kept', { written: null, durable: bytes('old'), left: null }],
    ['lost', { written: null, durable: bytes('old'), left: bytes('old') }],
  ] as const)('says of a file that it was %s', async (fate, file) => {
    expect(crashOf(await written(crashed(file))).unsynced.map((each) => each.fate)).toEqual([fate])
  })

  test('tells of an append what was added, and of what is no text nothing', async () => {
    const appended = crashed({ written: bytes('one\ntwo\n'), durable: bytes('one\n') })
    expect(crashOf(await written(appended)).unsynced[0]?.atStake?.text).toBe('two\n')
    const binary = crashed({ written: new Uint8Array([255, 0, 255]) })
    expect(crashOf(await written(binary)).unsynced[0]?.atStake).toBeNull()
  })

  test('holds of a long text its beginning, and says so', async () => {
    const [file] = crashOf(await written(crashed({ written: bytes('x'.repeat(10_000)) }))).unsynced
    expect([file?.atStake?.text.length, file?.atStake?.cutFrom]).toEqual([4_096, 10_000])
  })

  test('holds no secret, not even the half of one that was durable', async () => {
    const secret = 'hunter2hunter2'
    const { texts } = await written(
      crashed({
        path: `${secret}.md`,
        written: bytes(`token ${secret} end`),
        durable: bytes('token hunter2'),
        left: bytes('token hunter2'),
      }),
      { redact: createRedactor({ environment: { SOME_TOKEN: secret } }) },
    )
    const report = texts[`${sampleFolder}/disk/crash-1.json`] ?? ''
    expect(report).not.toContain('hunter2')
    expect(report).toContain('[redacted:SOME_TOKEN] end')
  })
})
