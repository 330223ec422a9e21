import { beforeAll, describe, expect, test } from 'vitest'
import { createDigest } from '../../../../src/adapters/node/index.ts'
import { loadEventShapes } from '../../../../src/harness/invariants/event-shapes.ts'
import { builtInInvariants, judge } from '../../../../src/harness/invariants/index.ts'
import type { CanonicalOutcome, Evidence, FileTree } from '../../../../src/harness/invariants/index.ts'
import type { EventKind } from '../../../../src/trace/index.ts'
import { watchedRun } from '../../../support/evidence.ts'
import { change, copy, find, statePathOf, withEvents, withFile, withState } from '../../../support/tamper.ts'
import type { Tampered } from '../../../support/tamper.ts'
import { agents, release, soundEvidences } from './evidences.ts'
import type { SoundEvidences } from './evidences.ts'

let sound: SoundEvidences
beforeAll(async () => {
  sound = await soundEvidences()
})

describe('a sound run', () => {
  test.each([
    'plain',
    'crashed',
    'crashedInRecovery',
    'troubled',
    'failed',
    'resumed',
    'torn',
    'refused',
    'edited',
    'reopened',
    'rebuilt',
    'cancelled',
    'overtime',
  ] as const)('%s breaks no invariant', async (name) => {
    const { violations, notJudged } = await judge(sound[name])
    expect(violations.map(({ invariant, sentence }) => `${invariant}: ${sentence}`)).toEqual([])
    expect(notJudged).toEqual(notJudgedOf(name))
  })
})

describe('what is missing from the evidence', () => {
  test.each([
    ['reference', 'O1', 'what the run should have come to: the evidence has no reference'],
    ['secondResume', 'O9', 'what a further resume does: the evidence has no secondResume'],
    ['leftovers', 'O19', 'open files, timers and calls: the evidence has no leftovers'],
    [
      'unhandledRejections',
      'O0',
      'whether a rejection went unhandled: the evidence has no unhandledRejections',
    ],
  ] as const)('%s: %s is not judged, and that is said', async (member, invariant, why) => {
    const { [member]: gone, ...rest } = sound.crashedInRecovery
    expect(gone).toBeDefined()
    const { violations, judged, notJudged } = await judge(rest)
    expect(notJudged).toContainEqual({ invariant, why })
    expect(judged).not.toContain(invariant)
    expect(violations).toEqual([])
  })

  test('the cause of a fault: O11 is not judged, and that is said', async () => {
    const faults = sound.failed.faults.map(({ cause, ...fault }) => ({ ...fault, because: cause }))
    const { judged, notJudged } = await judge({ ...sound.failed, faults })
    const why = `whether fault 'agent-error' at 1/ship#1@1:agent.invoke:shipper#1 was reported: it names no cause`
    expect(notJudged).toContainEqual({ invariant: 'O11', why })
    expect(judged).not.toContain('O11')
  })

  test('the whole log: nothing is passed that could not be seen', async () => {
    const { violations, judged, notJudged } = await judge({ ...sound.plain, files: new Map() })
    expect(notJudged.map(({ invariant }) => invariant)).toContain('O3')
    expect(judged).not.toContain('O3')
    expect(violations.map(({ invariant }) => invariant)).toContain('O5')
  })
})

describe('what is no violation', () => {
  test('a damaged state.json that was ignored aloud', async () => {
    const files = withFile(sound.plain.files, statePathOf(sound.plain), '{')
    const warnings = [
      `${statePathOf(sound.plain)} was ignored because it is not valid JSON; the log stands in for it.`,
    ]
    const { violations } = await judge({ ...sound.plain, files, warnings })
    expect(violations).toEqual([])
  })

  test('a crash after the last event: the resume that is refused clears up what the life held', async () => {
    const run = await watchedRun(release, { agents })
    await run.crashAtWrite(54)
    await run.resume()
    const evidence = await run.evidence({ reference: sound.plain.reference as CanonicalOutcome })
    expect(evidence.files.has(lockPathOf(evidence))).toBe(false)
    expect(evidence.ending).toEqual({ status: 'completed' })
    expect((await judge(evidence)).violations).toEqual([])
  })

  test('an effect that happened once per execution: it is noted instead', async () => {
    const effects = sound.resumed.effects.map((effect) => ({ ...effect, count: 2 }))
    const { violations, notes } = await judge({ ...sound.resumed, effects })
    expect(violations).toEqual([])
    expect(notes).toEqual([
      {
        invariant: 'O15',
        sentence: `Effect 'mail' of step 'ship' (visit 1) happened 2 times, once per execution: its receiver must act once per key.`,
      },
    ])
  })

  test('directories that lie elsewhere', async () => {
    const moved = (files: FileTree): FileTree =>
      new Map([...files].map(([path, bytes]) => [path.replace(/^\.workflow/, 'var/runs'), bytes]))
    const { files, secondResume } = sound.plain
    const logged = withFile(moved(files), 'var/log/today.log', '')
    const evidence = {
      ...sound.plain,
      directories: { stateDirectory: 'var/runs', checkpointDirectory: 'var/marks', logDirectory: 'var/log' },
      files: withFile(logged, 'var/marks/one.json', '{}'),
      secondResume: { files: moved(secondResume?.files ?? new Map()), executions: [] },
    }
    expect((await judge(evidence)).violations).toEqual([])
    const stray = { ...evidence, files: withFile(evidence.files, 'var/marks/one.json.tmp', '') }
    expect((await judge(stray)).violations.map(({ sentence }) => sentence)).toEqual([
      `Temporary file 'var/marks/one.json.tmp' was left behind.`,
    ])
  })

  test('the bytes of an attempt that was announced and then died', async () => {
    const digest = createDigest()
    const artifacts = [{ path: 'plan.md', sha256: digest.sha256('half'), sizeBytes: 4 }]
    const run = withEvents(sound.plain, (events) => {
      const last = find(events, 'artifacts_prepared ship#1@1')
      return [...events.slice(0, last), { ...events[last], artifacts }]
    })
    const half = { ...run, files: withFile(run.files, 'plan.md', 'half') }
    const o3 = builtInInvariants.filter(({ name }) => name === 'O3')
    expect((await judge(half, o3)).violations).toEqual([])
    const other = { ...run, files: withFile(run.files, 'plan.md', 'other') }
    expect((await judge(other, o3)).violations).toHaveLength(1)
  })
})

describe('a definition that a resume adopts', () => {
  test('is in force from there on', async () => {
    expect(
      (
        await judge(
          adopting(({ steps }) => steps),
          judgesOrder,
        )
      ).violations,
    ).toEqual([])
    const more = adopting(({ steps }) => [...steps, { ...steps[0], id: 'extra' }])
    expect((await judge(more, judgesOrder)).violations.map(({ sentence }) => sentence)).toEqual([
      `Step 'extra' was lost: the run completed at event 26 without it.`,
    ])
  })

  test('is what state.json has to go by', async () => {
    const renamed = adopting(({ steps }) => steps.map((step) => ({ ...step, agent: 'other' })))
    const { violations } = await judge(renamed, judgesState)
    expect(violations.map(({ sentence }) => sentence)).toContainEqual(
      'The state.json at the end has steps.plan.agent "writer", and the log adds up to "other" at event 26.',
    )
    expect((await judge(withState(renamed, otherAgents), judgesState)).violations).toEqual([])
  })

  const judgesOrder = builtInInvariants.filter(({ name }) => name === 'O6')
  const judgesState = builtInInvariants.filter(({ name }) => name === 'O7')

  function adopting(steps: (definition: Definition) => readonly object[]): Evidence {
    return withEvents(sound.resumed, (events) => {
      const before = events[0]?.['definition'] as Definition
      const definition = { ...before, steps: steps(before) }
      return change('workflow_resume', { adopts: { definition, definitionSha256: '0'.repeat(64) } })(events)
    })
  }

  function otherAgents(body: Tampered): Tampered {
    const definition = body['definition'] as Definition
    const rename = (step: object): object => ({ ...step, agent: 'other' })
    const steps = Object.entries(body['steps'] as Readonly<Record<string, object>>)
    return {
      ...body,
      definitionSha256: '0'.repeat(64),
      definition: { ...definition, steps: definition.steps.map(rename) },
      steps: Object.fromEntries(steps.map(([id, step]) => [id, rename(step)])),
    }
  }

  interface Definition {
    readonly steps: readonly object[]
  }
})

test('a violation is data: the invariant, a sentence, and where it is', async () => {
  const again = withEvents(sound.resumed, copy('step_start build#1@1', { attempt: 2 }, 'workflow_resume'))
  const { violations } = await judge(again)
  expect(violations).toContainEqual({
    invariant: 'O2',
    sentence: `Step 'build' ran again (visit 1, attempt 2, incarnation 2) after it had completed at event 10.`,
    step: 'build',
    visit: 1,
    attempt: 2,
    seq: 22,
  })
})

test('every kind of event is known to the checkers', async () => {
  const { event } = await loadEventShapes()
  const known = event.options.map(({ shape }) => shape.kind.value)
  expect(known.toSorted()).toEqual(Object.keys(eventKinds).toSorted())
})

/** A new kind does not compile until it is here. */
const eventKinds: Readonly<Record<EventKind, true>> = {
  artifact_created: true,
  artifact_edit: true,
  artifacts_prepared: true,
  checkpoint: true,
  gate_result: true,
  gate_wait: true,
  late_result: true,
  process_start: true,
  step_fail: true,
  step_finish: true,
  step_pause: true,
  step_retry: true,
  step_skip: true,
  step_start: true,
  timeout_warning: true,
  undo_fail: true,
  undo_finish: true,
  undo_start: true,
  workflow_cancel: true,
  workflow_end: true,
  workflow_pause: true,
  workflow_resume: true,
  workflow_start: true,
  workflow_warning: true,
}

function lockPathOf({ runId }: Evidence): string {
  return `.workflow/runs/${runId}/lock`
}

function notJudgedOf(name: keyof SoundEvidences): readonly object[] {
  if (name === 'crashedInRecovery') return []
  if (name !== 'refused') {
    return [{ invariant: 'O10', why: 'a crash in the recovery: none of the lives ended in one' }]
  }
  const why = 'a fault damaged what is on disk, and the run was refused for that'
  const judged = ['O0', 'O1', 'O11', 'O17', 'O19']
  return builtInInvariants.flatMap(({ name: invariant }) =>
    judged.includes(invariant) ? [] : [{ invariant, why }],
  )
}
