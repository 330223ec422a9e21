import { expect, test } from 'vitest'
import { compareBundles, readBundle, sameBundles } from '../../../src/bundle/index.ts'
import type { Bundle, BundleContentOfTest } from '../../../src/bundle/index.ts'
import type { SessionRecording } from '../../../src/trace/index.ts'
import { sampleContent, sampleFolder, writeSample } from '../../support/sample-bundle.ts'
import { sampleRecording } from '../../support/sample-run.ts'

async function bundle(change: Partial<BundleContentOfTest> = {}): Promise<Bundle> {
  const { files } = await writeSample(sampleContent(change))
  return readBundle(files, sampleFolder)
}

function recording(change: (recording: SessionRecording) => unknown): SessionRecording {
  const copy = structuredClone(sampleRecording())
  change(copy)
  return copy
}

const ofAnotherRun = recording((copy) => {
  const text = JSON.stringify({ ...copy, artifacts: [] }).replaceAll('release-7f3a91c2', 'release-00000000')
  Object.assign(copy, JSON.parse(text), { artifacts: copy.artifacts })
})

test('two bundles of the same are the same, whatever their runs were called', async () => {
  const comparison = compareBundles(await bundle(), await bundle({ sessions: [ofAnotherRun] }))
  expect(comparison).toEqual({ errors: null, sessions: [{ events: null, states: [] }], artifacts: [] })
  expect(sameBundles(comparison)).toBe(true)
})

test('bundles differ in error, events, states, artifacts and sessions, each named', async () => {
  const changed = recording((copy) => {
    Object.assign(copy.events[2] ?? {}, { output: { tasks: 4 } })
    Object.assign(copy.snapshots.atFailure?.state.steps['plan'] ?? {}, { output: { tasks: 4 } })
    Object.assign(copy, {
      artifacts: [{ path: 'other.txt', bytes: new Uint8Array([1]) }, ...copy.artifacts.slice(1)],
    })
  })
  const errors = [{ name: 'Error', message: 'another', stack: null }]
  const comparison = compareBundles(
    await bundle(),
    await bundle({ errors, sessions: [changed, sampleRecording()] }),
  )
  expect(sameBundles(comparison)).toBe(false)
  expect(comparison).toMatchObject({
    errors: ["expected 'completed' to be 'failed'", 'another'],
    sessions: [
      {
        events: 'diverged at event 2 (step_finish plan#1@1): output.tasks was 3, now 4',
        states: [
          { snapshot: 'at-failure', changes: [{ path: 'steps.plan.output.tasks', before: 3, after: 4 }] },
        ],
      },
      { events: 'only one of the two has this session' },
    ],
  })
  expect(comparison.artifacts).toContainEqual({ path: 'artifacts/other.txt', change: 'added' })
  expect(comparison.artifacts).toContainEqual({ path: 'artifacts/dist/app.js', change: 'removed' })
})
