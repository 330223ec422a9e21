import { describe, expect, test } from 'vitest'
import { readBundle, renderSummary } from '../../../src/bundle/index.ts'
import { sampleContent, sampleFolder, writeSample } from '../../support/sample-bundle.ts'
import { failedSampleEvents, sampleRecording } from '../../support/sample-run.ts'

const failedRun = {
  ...sampleContent(),
  kind: 'run',
  reason: 'run-failed',
  run: { workflowFile: 'workflows/release.yaml', arguments: ['--mock'] },
  errors: [],
  sessions: [
    {
      ...sampleRecording(),
      events: failedSampleEvents(),
      snapshots: { ...sampleRecording().snapshots, beforeResume: [], afterResume: [] },
    },
  ],
  notes: ['The agents module is agents.ts.'],
} as const

describe('summary.md', () => {
  test('tells what failed, what happened, what was on disk, and how to replay it', async () => {
    const { texts } = await writeSample()
    expect(texts[`${sampleFolder}/summary.md`]).toMatchInlineSnapshot(`
      "# release workflow > resumes after the reviewer fails

      - assertion in tests/release.test.ts:12, attempt 1, seed 1
      - correlation id corr-5d0e1b44
      - faultline 0.1.0, Node 20.20.0, Vitest 4.1.12, linux-x64

      ## Error

      \`\`\`
      AssertionError: expected 'completed' to be 'failed'
          at <root>/tests/release.test.ts:12:30
      \`\`\`

      ## What happened

      12 earlier rows

      | # | time | step | status | what happened |
      |--:|-----:|------|--------|---------------|
      | 12 | +1 min 3 s |  | running | resumed: restarts review; tail cut at seq 12 |
      | 13 | +1 min 3 s | review#1@3 | running | review#1@3 started (agent review-agent) |
      | 14 | +1 min 4 s | review#1@3 | failed | review#1@3 gate failed: overall 60 is below 80; returns to 'build' (loop 1) |
      | 15 | +1 min 4 s | review#1@2 | discarded | review#1@2 returned too late: discarded |
      | 16 | +1 min 4 s | build#2@1 | running | build#2@1 started (agent build-agent) |
      | 17 | +1 min 5 s | build#2@1 | completed | build#2@1 completed in 1 s, produced dist/app.js |
      | 18 | +1 min 5 s | review#2@1 | running | review#2@1 started (agent review-agent) |
      | 19 | +1 min 5 s | review#2@1 | passed | review#2@1 gate passed |
      | 20 | +1 min 5 s | review#2@1 | completed | review#2@1 completed in 500 ms |
      | 21 | +1 min 5 s | publish#1@1 | running | publish#1@1 started (agent publish-agent) |
      | 22 | +1 min 5 s | publish#1@1 | completed | publish#1@1 completed in 0 ms |
      | 23 | +1 min 5 s |  | completed | run completed |

      ## State at failure

      - status: failed at review: model overloaded (exception)
      - completed: plan, build

      ## State at the end

      - status: completed
      - completed: plan, build, review, publish

      ## Faults that fired

      - agent-error at \`1/review#1@1:agent.invoke:review-agent#1\`
      - agent-error at \`1/review#1@2:agent.invoke:review-agent#1\`

      ## Files

      - \`manifest.json\`
      - \`timeline.jsonl\` (4232 bytes)
      - \`timeline.md\` (2052 bytes)
      - \`state/before-failure.json\` (3498 bytes)
      - \`state/at-failure.json\` (3702 bytes)
      - \`state/before-resume-1.json\` (3707 bytes)
      - \`state/after-resume-1.json\` (3498 bytes)
      - \`plan.json\` (135 bytes)
      - \`plan.resolved.json\` (222 bytes)
      - \`definition.json\` (1077 bytes)
      - \`input.json\` (24 bytes)
      - \`logs/log.jsonl\` (334 bytes)
      - \`logs/log.txt\` (78 bytes)
      - \`events.jsonl\` (8052 bytes)
      - \`artifacts/dist/app.js\` (10 bytes)

      ## Replay

      \`\`\`
      npx faultline replay faultline-bundles/suite-1/resumes-1a2b3c4d-a1
      \`\`\`

      ## Notes

      - What an artifact held before is known only where this process has replaced it.
      "
    `)
  })

  test('shows a set-up that got to no session', async () => {
    const { texts } = await writeSample(
      sampleContent({
        reason: 'set-up',
        sessions: [],
        errors: [{ name: 'Error', message: 'a ``` b', stack: null }],
        partial: true,
      }),
    )
    expect(texts[`${sampleFolder}/summary.md`]).toMatchInlineSnapshot(`
      "# release workflow > resumes after the reviewer fails

      - set-up in tests/release.test.ts:12, attempt 1, partial: the process died
      - faultline 0.1.0, Node 20.20.0, Vitest 4.1.12, linux-x64

      ## Error

      \`\`\`\`
      Error: a \`\`\` b
      \`\`\`\`

      It got to no session: no run was started.

      ## Files

      - \`manifest.json\`

      ## Replay

      \`\`\`
      npx faultline replay faultline-bundles/suite-1/resumes-1a2b3c4d-a1
      \`\`\`
      "
    `)
  })

  test('shows no colour codes', async () => {
    const escape = String.fromCharCode(27)
    const { texts } = await writeSample(
      sampleContent({ errors: [{ name: 'Error', message: `${escape}[31mred${escape}[39m`, stack: null }] }),
    )
    expect(texts[`${sampleFolder}/summary.md`]).toContain('Error: red\n')
  })
})

describe('the terminal summary', () => {
  test('shows the end of the timeline for a failed assertion', async () => {
    const { files } = await writeSample()
    expect(renderSummary(await readBundle(files, sampleFolder))).toMatchInlineSnapshot(`
      "FAILED release workflow > resumes after the reviewer fails
        assertion in tests/release.test.ts:12, attempt 1, seed 1
        AssertionError: expected 'completed' to be 'failed'

        timeline of run release-7f3a91c2
          ... 16 earlier rows
          16  +1 min 4 s  build#2@1 started (agent build-agent)
          17  +1 min 5 s  build#2@1 completed in 1 s, produced dist/app.js
          18  +1 min 5 s  review#2@1 started (agent review-agent)
          19  +1 min 5 s  review#2@1 gate passed
          20  +1 min 5 s  review#2@1 completed in 500 ms
          21  +1 min 5 s  publish#1@1 started (agent publish-agent)
          22  +1 min 5 s  publish#1@1 completed in 0 ms
          23  +1 min 5 s  run completed

        at failure failed at review: model overloaded (exception)
        completed  plan, build
        state diff run running → failed; review running → failed
        at the end completed; completed steps: 4

        files      16 in the bundle; artifacts: artifacts/dist/app.js
        bundle     faultline-bundles/suite-1/resumes-1a2b3c4d-a1
        replay     npx faultline replay faultline-bundles/suite-1/resumes-1a2b3c4d-a1"
    `)
  })

  test('shows the surroundings of the failure for a failed run', async () => {
    const { files } = await writeSample(failedRun)
    expect(renderSummary(await readBundle(files, sampleFolder))).toMatchInlineSnapshot(`
      "FAILED workflows/release.yaml
        run-failed, seed 1

        timeline of run release-7f3a91c2
          ... 3 earlier rows
           3  +250 ms  build#1@1 started (agent build-agent)
           4  +1.25 s  build#1@1 prepared dist/app.js
           5  +1.25 s  build#1@1 completed in 1 s, produced dist/app.js
           6  +1.25 s  review#1@1 started (agent review-agent)
           7  +1.75 s  review#1@1 failed: model overloaded (exception); retry in 1 s
           8  +2.75 s  review#1@2 started (agent review-agent)
           9  +3.25 s  review#1@2 failed: model overloaded (exception)
        > 10  +3.25 s  run failed at review: model overloaded (exception)

        at failure failed at review: model overloaded (exception)
        completed  plan, build
        state diff run running → failed; review running → failed
        at the end failed at review: model overloaded (exception); completed steps: 2

        files      14 in the bundle; artifacts: artifacts/dist/app.js
        note       The agents module is agents.ts.
        bundle     faultline-bundles/suite-1/resumes-1a2b3c4d-a1
        replay     npx faultline replay faultline-bundles/suite-1/resumes-1a2b3c4d-a1"
    `)
  })

  test('stays under 80 columns, but for the folder and the replay command', async () => {
    const long = 'word '.repeat(100)
    const { files } = await writeSample(
      sampleContent({
        test: { ...sampleContent().test, fullName: long, file: `${'x'.repeat(200)}.ts` },
        errors: [{ name: 'Error', message: `${long}${'y'.repeat(200)}`, stack: null }],
        notes: [long],
        replay: { command: `npx faultline replay ${'z'.repeat(90)}`, env: { SEED: '1' } },
        sessions: [sampleRecording(), sampleRecording()],
      }),
    )
    const lines = renderSummary(await readBundle(files, sampleFolder)).split('\n')
    expect(lines.filter((line) => line.length > 79)).toEqual([
      `  replay     SEED=1 npx faultline replay ${'z'.repeat(90)}`,
    ])
  })
})
