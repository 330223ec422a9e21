import { describe, expect, test } from 'vitest'
import { createDigest } from '../../../src/adapters/node/index.ts'
import { createVirtualFiles } from '../../../src/adapters/virtual/index.ts'
import { createRedactor, writeBundle } from '../../../src/bundle/index.ts'
import { sampleContent, sampleFolder, writeSample } from '../../support/sample-bundle.ts'
import type { LogEntry, StepDocument, WorkflowSnapshot } from '../../../src/trace/index.ts'
import { sampleEvents, sampleIds, sampleRecording, sampleStart } from '../../support/sample-run.ts'

describe('a bundle', () => {
  test('holds every part of a session', async () => {
    const { texts } = await writeSample()
    expect(Object.keys(texts).map((path) => path.slice(sampleFolder.length + 1))).toEqual([
      'artifacts/dist/app.js',
      'definition.json',
      'events.jsonl',
      'index.html',
      'input.json',
      'logs/log.jsonl',
      'logs/log.txt',
      'manifest.json',
      'plan.json',
      'plan.resolved.json',
      'state/after-resume-1.json',
      'state/at-failure.json',
      'state/before-failure.json',
      'state/before-resume-1.json',
      'summary.md',
      'timeline.jsonl',
      'timeline.md',
    ])
  })

  test('lists every file with the digest of the bytes that are there', async () => {
    const { files, location } = await writeSample()
    const digest = createDigest()
    const listed = Object.fromEntries(
      location.manifest.files.map((file) => [`${sampleFolder}/${file.path}`, file.sha256]),
    )
    const there = Object.fromEntries(
      [...files.snapshotFiles()]
        .filter(([path]) => !path.endsWith('/manifest.json'))
        .map(([path, bytes]) => [path, digest.sha256(bytes)]),
    )
    expect(listed).toEqual(there)
  })

  test('is byte-equal when it is written twice', async () => {
    expect((await writeSample()).texts).toEqual((await writeSample()).texts)
  })

  test('says with null what there is not', async () => {
    const recording = sampleRecording()
    const { location } = await writeSample(
      sampleContent({
        sessions: [
          {
            ...recording,
            snapshots: { beforeFailure: null, atFailure: null, beforeResume: [], afterResume: [] },
          },
        ],
      }),
    )
    expect(location.manifest.sessions[0]?.snapshots).toEqual({
      beforeFailure: null,
      atFailure: null,
      beforeResume: [],
      afterResume: [],
    })
    expect(location.manifest.run).toBeNull()
  })

  test('puts the sessions after the first into folders of their own', async () => {
    const { texts, location } = await writeSample(
      sampleContent({ sessions: [sampleRecording(), sampleRecording()] }),
    )
    expect(location.manifest.sessions.map(({ folder }) => folder)).toEqual(['', 'sessions/2'])
    expect(texts[`${sampleFolder}/sessions/2/artifacts/dist/app.js`]).toBe('app.run()\n')
    expect(texts[`${sampleFolder}/sessions/2/state/at-failure.json`]).toBe(
      texts[`${sampleFolder}/state/at-failure.json`],
    )
  })

  test('is written for a test that got to no session', async () => {
    const { texts, location } = await writeSample(sampleContent({ reason: 'set-up', sessions: [], seed: 5 }))
    expect(Object.keys(texts)).toEqual(
      ['index.html', 'manifest.json', 'summary.md'].map((name) => `${sampleFolder}/${name}`),
    )
    expect(location.manifest).toMatchObject({ reason: 'set-up', sessions: [], seed: 5, correlationIds: [] })
  })

  test('writes the manifest last', async () => {
    const files = createVirtualFiles()
    const written: string[] = []
    const recorder: typeof files = {
      ...files,
      perform: (operation) => {
        if (operation.op === 'write') written.push(operation.path)
        return files.perform(operation)
      },
    }
    await writeBundle(sampleContent(), {
      files: recorder,
      folder: 'bundle',
      digest: createDigest(),
      redact: createRedactor({ environment: {} }),
    })
    expect(written).toHaveLength(17)
    expect(written.at(-1)).toBe('bundle/manifest.json')
  })
})

describe('the timeline file', () => {
  test('begins with a header and has a row per event, which `events.jsonl` holds', async () => {
    const { texts } = await writeSample()
    const lines = texts[`${sampleFolder}/timeline.jsonl`]?.split('\n') ?? []
    expect(lines[0]).toBe('{"schema":"faultline-timeline/1","runId":"release-7f3a91c2"}')
    expect(lines).toHaveLength(sampleEvents().length + 2)
    expect(JSON.parse(lines[10] ?? '')).toEqual({
      seq: 9,
      at: sampleStart + 3_250,
      offsetMs: 3_250,
      kind: 'step_fail',
      step: 'review',
      visit: 1,
      attempt: 2,
      status: 'failed',
      text: 'review#1@2 failed: model overloaded (exception)',
    })
  })
})

describe('the readable log', () => {
  test('has time, level and step in front of each message', async () => {
    const { texts } = await writeSample()
    expect(texts[`${sampleFolder}/logs/log.txt`]).toBe(
      '+250 ms  info  plan#1@1  three tasks planned\n+3.25 s  warn  the model is slow\n',
    )
  })
})

describe('the folder', () => {
  test('replaces an older bundle whole', async () => {
    const files = createVirtualFiles({ 'b/manifest.json': '{}', 'b/stale.txt': 'old' })
    await writeSample(sampleContent({ sessions: [] }), { files, folder: 'b' })
    expect([...files.snapshotFiles().keys()]).toEqual(['b/index.html', 'b/manifest.json', 'b/summary.md'])
  })

  test('is refused when it holds something else', async () => {
    const files = createVirtualFiles({ 'src/main.ts': 'x' })
    await expect(writeSample(sampleContent(), { files, folder: 'src' })).rejects.toThrow(
      "The bundle cannot go to 'src': the folder holds files that are no bundle. Give it a folder of its own.",
    )
    expect([...files.snapshotFiles().keys()]).toEqual(['src/main.ts'])
  })

  test('is refused when it leaves the root', async () => {
    await expect(writeSample(sampleContent(), { folder: '../elsewhere' })).rejects.toThrow(
      "The bundle folder '../elsewhere' leaves its folder: it must not contain '..'.",
    )
  })
})

describe('the limits', () => {
  const large = 'x'.repeat(2_000)

  test('replace a payload that is too large by its size and digest', async () => {
    const events = sampleEvents().map((event) =>
      event.kind === 'step_finish' && event.step === 'plan' ? { ...event, output: { large } } : event,
    )
    const { texts, location } = await writeSample(
      sampleContent({ sessions: [{ ...sampleRecording(), events }] }),
      {
        limits: { payloadBytes: 1_000 },
      },
    )
    const finish = JSON.parse(texts[`${sampleFolder}/events.jsonl`]?.split('\n')[2] ?? '') as unknown
    expect(finish).toMatchObject({
      output: {
        truncated: { sizeBytes: 2_012, sha256: createDigest().sha256(JSON.stringify({ large })) },
      },
    })
    expect(location.manifest.limits.payloadBytes).toBe(1_000)
  })

  test('hold in snapshots and logs too', async () => {
    const recording = sampleRecording()
    const atFailure = recording.snapshots.atFailure as WorkflowSnapshot
    const plan = { ...(atFailure.state.steps['plan'] as StepDocument), output: { large } }
    const state = { ...atFailure.state, steps: { ...atFailure.state.steps, plan } }
    const { texts } = await writeSample(
      sampleContent({
        sessions: [
          {
            ...recording,
            snapshots: { ...recording.snapshots, atFailure: { ...atFailure, state } },
            logs: [{ at: sampleStart, level: 'info', message: large, ...sampleIds }],
          },
        ],
      }),
      { limits: { payloadBytes: 1_000 } },
    )
    const written = JSON.parse(texts[`${sampleFolder}/state/at-failure.json`] ?? '') as WorkflowSnapshot
    expect(written.state.steps['plan']?.output).toMatchObject({ truncated: { sizeBytes: 2_012 } })
    expect(written.state.steps['build']?.output).toEqual({ files: 1 })
    const entry = JSON.parse(texts[`${sampleFolder}/logs/log.jsonl`] ?? '') as LogEntry
    expect(entry.message).toBe(`${'x'.repeat(1_000)} [truncated: 2000 characters]`)
  })

  test('cut a long error message but keep its beginning', async () => {
    const events = sampleEvents().map((event) =>
      event.kind === 'step_fail' ? { ...event, error: { ...event.error, message: large } } : event,
    )
    const { texts } = await writeSample(sampleContent({ sessions: [{ ...sampleRecording(), events }] }), {
      limits: { payloadBytes: 1_000 },
    })
    const fail = JSON.parse(texts[`${sampleFolder}/events.jsonl`]?.split('\n')[9] ?? '') as {
      error: { message: string }
    }
    expect(fail.error.message).toBe(`${'x'.repeat(1_000)} [truncated: 2000 characters]`)
  })

  test('cut lines of text, leave out what could not be read when cut, and list both', async () => {
    const artifacts = [
      { path: 'log.txt', bytes: new TextEncoder().encode('12345678\n'.repeat(1_000)) },
      { path: 'blob.bin', bytes: new Uint8Array(9_000).fill(255) },
    ]
    const { texts, location } = await writeSample(
      sampleContent({ sessions: [{ ...sampleRecording(), artifacts }] }),
      { limits: { fileBytes: 8_000 } },
    )
    const log = location.manifest.files.find(({ path }) => path === 'artifacts/log.txt')
    expect(log).toMatchObject({ sizeBytes: 7_992, truncated: { originalBytes: 9_000 } })
    expect(texts[`${sampleFolder}/artifacts/log.txt`]).toBe('12345678\n'.repeat(888))
    expect(location.manifest.omitted).toEqual([
      { path: 'artifacts/blob.bin', sizeBytes: 9_000, why: 'file-limit' },
    ])
    expect(texts[`${sampleFolder}/artifacts/blob.bin`]).toBeUndefined()
  })

  test('leave out artifacts before anything else when the bundle is full', async () => {
    const withoutArtifacts = await writeSample(
      sampleContent({ sessions: [{ ...sampleRecording(), artifacts: [] }] }),
    )
    const bundleBytes = withoutArtifacts.location.manifest.files
      .filter(({ path }) => path !== 'summary.md' && path !== 'index.html')
      .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const { location } = await writeSample(sampleContent(), { limits: { bundleBytes } })
    expect(location.manifest.omitted).toEqual([
      { path: 'artifacts/dist/app.js', sizeBytes: 10, why: 'bundle-limit' },
    ])
    expect(location.manifest.files).toHaveLength(15)
  })

  test('never cut a character in two', async () => {
    const artifacts = [{ path: 'euro.txt', bytes: new TextEncoder().encode('€'.repeat(5_000)) }]
    const { texts } = await writeSample(sampleContent({ sessions: [{ ...sampleRecording(), artifacts }] }), {
      limits: { fileBytes: 10_000 },
    })
    expect(texts[`${sampleFolder}/artifacts/euro.txt`]).toBe('€'.repeat(3_333))
  })
})
