import { describe, expect, test } from 'vitest'
import { messageOf, type FaultlineError } from '../../../src/core/index.ts'
import { defineWorkflow } from '../../../src/engine/index.ts'
import {
  assertWorkflowArtifacts,
  createProject,
  runWorkflowStepByStep,
  type Agents,
  type AssertWorkflowArtifactsOptions,
  type ExpectedArtifacts,
  type WorkflowSession,
} from '../../../src/harness/index.ts'
import type { ArtifactProblemKind } from '../../../src/harness/artifact-problems.ts'
import type { StateDocument } from '../../../src/trace/index.ts'

type Judged = Parameters<typeof assertWorkflowArtifacts>[0]

const workflow = defineWorkflow({
  id: 'release',
  steps: [
    { id: 'build', agent: 'builder', creates: ['dist/app.js'], next: 'document' },
    { id: 'document', agent: 'documenter', creates: ['docs/'], next: 'check' },
    { id: 'check', agent: 'checker', creates: ['check.json'] },
  ],
})

const agents: Agents = {
  builder: ({ artifacts }) => artifacts.write('dist/app.js', 'one\ntwo\nthree\n'),
  documenter: async ({ artifacts }) => {
    await artifacts.write('docs/index.md', '# Docs\n')
    await artifacts.write('docs/api/app.md', '# app\n')
  },
  checker: ({ artifacts }) => artifacts.write('check.json', '{ "cases": 4, "failed": [] }'),
}

/** A completed run, in a project that held `notes.md` before it. */
async function completed(over: Agents = {}): Promise<WorkflowSession> {
  const project = await createProject({ storage: 'memory' })
  await project.write('notes.md', 'mine')
  const session = await runWorkflowStepByStep(workflow, { project, agents: { ...agents, ...over } })
  expect(await session.runToEnd()).toEqual({ status: 'completed' })
  return session
}

/** The lines about problems, without the run id that opens the message and the advice that closes it. */
async function problemsOf(
  session: Judged,
  expected: ExpectedArtifacts,
  options?: AssertWorkflowArtifactsOptions,
): Promise<string> {
  const message = await assertWorkflowArtifacts(session, expected, options).then(
    () => 'nothing wrong',
    messageOf,
  )
  const end = message.indexOf('\nWhat to do:')
  return message.slice(message.indexOf('\n') + 1, end < 0 ? undefined : end)
}

function withState(
  session: WorkflowSession,
  change: (state: StateDocument) => Partial<StateDocument>,
): Judged {
  const state = session.state()
  return {
    runId: session.runId,
    project: session.project,
    events: () => session.events(),
    state: () => ({ ...state, ...change(state) }),
  }
}

/** One way to each kind of problem, with all that its message must name. */
const kinds: Readonly<Record<ArtifactProblemKind, Spoiled>> = {
  missing: {
    expected: { 'docs/guide.md': {} },
    says: `docs/guide.md is not in the project: step 'document' declares it and is completed`,
    advice: 'let the step write it through context.artifacts',
  },
  misplaced: {
    expected: { 'out/app.js': {} },
    says: `out/app.js is not there; the same name at dist/app.js, produced by step 'build'`,
    advice: 'expect it where it lies',
  },
  empty: {
    agents: { builder: ({ artifacts }) => artifacts.write('dist/app.js', '') },
    expected: { 'dist/app.js': {} },
    says: `dist/app.js (from step 'build') is in the project but has no content`,
    advice: 'let the step write its content',
  },
  'not produced': {
    expected: { 'notes.md': {} },
    says: 'notes.md is in the project but not from this run: it was there before the run',
    advice: 'let a step of this run write it',
  },
  'wrong producer': {
    expected: { 'check.json': { producedBy: 'build' } },
    says: `check.json was produced by step 'check', expected step 'build'`,
    advice: 'correct producedBy',
  },
  'wrong digest': {
    expected: { 'docs/index.md': { sha256: '00ff' } },
    says: `docs/index.md (from step 'document') has sha256 <sha256>, expected 00ff`,
    advice: 'if the content is right, expect its digest',
  },
  'wrong content': {
    expected: { 'check.json': { json: { cases: 4, failed: ['one'] } } },
    says: `check.json (from step 'check') differs from the expected JSON at 1 place (expected -> found):`,
    advice: 'if the content is right, expect it',
  },
  changed: {
    spoil: ({ project }) => project.write('dist/app.js', 'other'),
    expected: {},
    says: `dist/app.js was produced by step 'build' with sha256 <sha256> (14 bytes); on disk it is <sha256> (5 bytes)`,
    advice: 'let nothing write it behind the run',
  },
  doubled: {
    agents: { checker: ({ artifacts }) => artifacts.write('check.json', 'same') },
    judge: (session) =>
      withState(session, ({ artifacts }) => ({
        artifacts: [...artifacts, ...artifacts.filter(({ path }) => path === 'check.json')],
      })),
    expected: {},
    says: `check.json is recorded twice: was produced by step 'check', and was produced by step 'check'`,
    advice: 'let one step write each path, once a visit',
  },
  unexpected: {
    spoil: async ({ project }) => project.fs?.writeFileSync('/docs/stray.md', 'x'),
    expected: {},
    says: `docs/stray.md lies where step 'document' writes, but no step recorded it`,
    advice: `declare it in the step's creates`,
  },
}

interface Spoiled {
  readonly agents?: Agents
  readonly spoil?: (session: WorkflowSession) => Promise<void>
  readonly judge?: (session: WorkflowSession) => Judged
  readonly expected: ExpectedArtifacts
  /** `<sha256>` stands for any digest. */
  readonly says: string
  readonly advice: string
}

test.each(Object.entries(kinds))(
  'assertWorkflowArtifacts says of an artifact that is %s what, by whom, and what to do',
  async (kind, { agents: over, spoil, judge = (session) => session, expected, says, advice }) => {
    const session = await completed(over)
    await spoil?.(session)
    const judged = assertWorkflowArtifacts(judge(session), expected)
    const error = (await judged.catch((thrown: unknown) => thrown)) as FaultlineError
    const lines = error.message.replaceAll(/[0-9a-f]{64}/g, '<sha256>').split('\n')
    const about = lines
      .filter((line) => line.startsWith(`  ${kind}: `))
      .map((line) => line.slice(kind.length + 4))
    expect(about).toEqual([says, expect.stringContaining(advice)])
    expect(lines[0]).toMatch(/are not as expected: 1 problem\.$/)
  },
)

describe('assertWorkflowArtifacts', () => {
  test('passes when everything is as expected', async () => {
    const expected: ExpectedArtifacts = {
      'dist/app.js': { producedBy: 'build', text: 'one\ntwo\nthree\n' },
      'docs/': { producedBy: 'document' },
      './check.json': { json: { failed: [], cases: 4 } },
    }
    const session = await completed()
    await assertWorkflowArtifacts(session, expected)
    await assertWorkflowArtifacts(session, expected, { exact: true })
    await assertWorkflowArtifacts(session, {})
  })

  test('counts the problems under the name of the run, and hands them over as data', async () => {
    const session = await completed()
    await expect(assertWorkflowArtifacts(session, { 'a.md': {}, 'b.md': {} })).rejects.toMatchObject({
      code: 'ARTIFACTS_WRONG',
      message: `The artifacts of run '${session.runId}' (workflow 'release', completed) are not as expected: 2 problems.
  missing: a.md is not in the project: no step declares it
  missing: b.md is not in the project: no step declares it
What to do:
  missing: let the step write it through context.artifacts, or correct the path where it is expected or declared`,
      details: {
        runId: session.runId,
        problems: [
          { kind: 'missing', path: 'a.md' },
          { kind: 'missing', path: 'b.md' },
        ],
      },
    })
  })

  test('says of a missing artifact which step declares it and how far that is', async () => {
    const project = await createProject({ storage: 'memory' })
    const session = await runWorkflowStepByStep(workflow, { project, agents })
    await session.runUntil('build')
    expect(await problemsOf(session, { 'docs/': {}, 'check.json': {} })).toMatchInlineSnapshot(`
      "  missing: check.json is not in the project: step 'check' declares it and is pending
        missing: docs/ is not in the project: step 'document' declares it and is pending"
    `)
  })

  test('finds an artifact at another place, by its name or by its bytes', async () => {
    const session = await completed()
    expect(await problemsOf(session, { 'app.js': {} })).toMatchInlineSnapshot(
      `"  misplaced: app.js is not there; the same name at dist/app.js, produced by step 'build'"`,
    )
    await session.project.write('copy.txt', await session.project.read('dist/app.js'))
    const { sha256 } = session.state().artifacts.find(({ path }) => path === 'dist/app.js') ?? { sha256: '' }
    expect(await problemsOf(session, { 'elsewhere.txt': { sha256 } })).toMatchInlineSnapshot(
      `"  misplaced: elsewhere.txt is not there; the same bytes at copy.txt"`,
    )
  })

  test('finds an artifact without content, unless that is expected', async () => {
    const session = await completed({ builder: ({ artifacts }) => artifacts.write('dist/app.js', '') })
    expect(await problemsOf(session, { 'dist/app.js': {} })).toMatchInlineSnapshot(
      `"  empty: dist/app.js (from step 'build') is in the project but has no content"`,
    )
    expect(await problemsOf(session, { 'dist/app.js': { text: '' } })).toBe('nothing wrong')
  })

  test('does not take a file that was there before the run for an artifact', async () => {
    expect(await problemsOf(await completed(), { 'notes.md': { text: 'mine' } })).toMatchInlineSnapshot(
      `"  not produced: notes.md is in the project but not from this run: it was there before the run"`,
    )
  })

  test('finds another producer, and a mistyped one', async () => {
    const session = await completed()
    expect(
      await problemsOf(session, {
        'dist/app.js': { producedBy: 'check' },
        'docs/': { producedBy: 'documnt' },
      }),
    ).toMatchInlineSnapshot(`
      "  wrong producer: dist/app.js was produced by step 'build', expected step 'check'
        wrong producer: docs/api/app.md was produced by step 'document', expected step 'documnt' (there is no step 'documnt'. Did you mean 'document'?)
        wrong producer: docs/index.md was produced by step 'document', expected step 'documnt' (there is no step 'documnt'. Did you mean 'document'?)"
    `)
  })

  test('finds a wrong digest', async () => {
    expect(await problemsOf(await completed(), { 'dist/app.js': { sha256: 'abc' } })).toMatchInlineSnapshot(
      `"  wrong digest: dist/app.js (from step 'build') has sha256 b6285c57e8797db5d4c51c80d6f11938afda9b11c6a003549709189e9b4b92a2, expected abc"`,
    )
  })

  test('shows where a text differs', async () => {
    const session = await completed()
    expect(await problemsOf(session, { 'dist/app.js': { text: 'one\nTWO\nthree\n' } }))
      .toMatchInlineSnapshot(`
        "  wrong content: dist/app.js (from step 'build') differs from the expected text at line 2 (- expected, + found):
                 1   "one"
                 2 - "TWO"
                 2 + "two""
      `)
    expect(await problemsOf(session, { 'dist/app.js': { text: 'one\ntwo\nthree' } })).toMatchInlineSnapshot(`
      "  wrong content: dist/app.js (from step 'build') differs from the expected text at line 4 (- expected, + found):
               3   "three"
               4 - (end of text)
               4 + """
    `)
  })

  test('shows the part of a long line that differs', async () => {
    const text = `${'a'.repeat(200)}b${'c'.repeat(200)}`
    const session = await completed({ builder: ({ artifacts }) => artifacts.write('dist/app.js', text) })
    expect(await problemsOf(session, { 'dist/app.js': { text: text.replace('b', 'B') } }))
      .toMatchInlineSnapshot(`
        "  wrong content: dist/app.js (from step 'build') differs from the expected text at line 1 (- expected, + found):
                 1 - ..."aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaBccccccccccccccccccccccccccccccccccccccccccccccccc"...
                 1 + ..."aaaaaaaaaaaaaaaaaaaaaaaaaaaaaabccccccccccccccccccccccccccccccccccccccccccccccccc"..."
      `)
  })

  test('shows where JSON differs, and at most five places', async () => {
    const session = await completed()
    const json = { cases: 5, failed: ['a'], more: { than: { one: true } } }
    expect(await problemsOf(session, { 'check.json': { json } })).toMatchInlineSnapshot(`
      "  wrong content: check.json (from step 'check') differs from the expected JSON at 3 places (expected -> found):
            ~ cases: 5 -> 4
            - failed[0]: "a"
            - more: {"than":{"one":true}}"
    `)
    const many = { a: 1, b: 2, c: 3, cases: 4, d: 4, e: 5, f: 6, failed: [] }
    expect(await problemsOf(session, { 'check.json': { json: many } })).toMatchInlineSnapshot(`
      "  wrong content: check.json (from step 'check') differs from the expected JSON at 6 places (expected -> found):
            - a: 1
            - b: 2
            - c: 3
            - d: 4
            - e: 5
            ... and 1 more"
    `)
  })

  test('finds JSON that cannot be parsed', async () => {
    const session = await completed({ checker: ({ artifacts }) => artifacts.write('check.json', '{') })
    expect(await problemsOf(session, { 'check.json': { json: {} } })).toMatch(
      /^ {2}wrong content: check\.json \(from step 'check'\) is not valid JSON: .+$/,
    )
  })

  test('finds artifacts that were changed or removed behind the run, expected or not', async () => {
    const session = await completed()
    await session.project.write('dist/app.js', 'other')
    const project = { ...session.project, list: async () => ['dist/app.js', 'docs/index.md', 'check.json'] }
    const judged = { runId: 'r', project, events: () => session.events(), state: () => session.state() }
    expect(await problemsOf(judged, {})).toMatchInlineSnapshot(`
      "  changed: dist/app.js was produced by step 'build' with sha256 b6285c57e8797db5d4c51c80d6f11938afda9b11c6a003549709189e9b4b92a2 (14 bytes); on disk it is d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa (5 bytes)
        missing: docs/api/app.md is not in the project: was produced by step 'document', and it is gone since"
    `)
    expect(await problemsOf(judged, { 'docs/api/app.md': {} })).toContain(
      '  missing: docs/api/app.md is not in the project: was produced by step',
    )
  })

  test('accepts a recorded edit, but not as the work of the step', async () => {
    const project = await createProject({ storage: 'memory' })
    const session = await runWorkflowStepByStep(workflow, { project, agents })
    await session.runUntil('build')
    await session.edit('dist/app.js', 'edited')
    await session.edit('input.md', 'no step declares this')
    await session.runToEnd()
    expect(await problemsOf(session, { 'dist/app.js': { text: 'edited' } })).toBe('nothing wrong')
    expect(await problemsOf(session, { 'dist/app.js': { producedBy: 'build' } })).toMatchInlineSnapshot(
      `"  wrong producer: dist/app.js was recorded by an edit, expected step 'build'"`,
    )
  })

  test('finds what a run recorded though no step declares it', async () => {
    const session = await completed({
      checker: async (context) => {
        await agents['checker']?.(context)
        await context.artifacts.write('scratch.txt', 'x')
      },
    })
    expect(await problemsOf(session, {})).toMatchInlineSnapshot(
      `"  unexpected: scratch.txt was produced by step 'check', but no step declares it"`,
    )
    expect(await problemsOf(session, { 'scratch.txt': { producedBy: 'check' } })).toBe('nothing wrong')
  })

  test('finds files that lie where a step writes though no step recorded them', async () => {
    const session = await completed()
    session.project.fs?.writeFileSync('/docs/stray.md', 'from an agent that was thought dead')
    session.project.fs?.writeFileSync('/outside.md', 'where no step writes')
    expect(await problemsOf(session, {})).toMatchInlineSnapshot(
      `"  unexpected: docs/stray.md lies where step 'document' writes, but no step recorded it"`,
    )
  })

  test('finds artifacts that are not listed, when the list is exact', async () => {
    const session = await completed()
    expect(
      await problemsOf(session, { 'docs/': {}, 'check.json': {} }, { exact: true }),
    ).toMatchInlineSnapshot(
      `"  unexpected: dist/app.js was produced by step 'build', but it is not among the expected artifacts"`,
    )
  })

  test('finds a completed step without its artifact', async () => {
    const judged = withState(await completed(), ({ artifacts }) => ({
      artifacts: artifacts.filter(({ path }) => path !== 'check.json'),
    }))
    expect(await problemsOf(judged, {})).toContain(
      `  missing: check.json is declared by step 'check', which completed without it`,
    )
  })

  test('finds a path that is recorded twice', async () => {
    const judged = withState(await completed(), ({ artifacts }) => ({
      artifacts: artifacts.flatMap((each) =>
        each.path === 'check.json' ? [each, { ...each, producedBy: 'build' }] : [each],
      ),
    }))
    expect(await problemsOf(judged, {})).toMatchInlineSnapshot(
      `"  doubled: check.json is recorded twice: was produced by step 'check', and was produced by step 'build'"`,
    )
  })

  test('finds the same file produced by two steps', async () => {
    const judged = withState(await completed(), ({ steps }) => {
      const { build, check } = steps as Required<typeof steps>
      if (build === undefined || check === undefined) return {}
      return { steps: { ...steps, check: { ...check, artifacts: [...check.artifacts, ...build.artifacts] } } }
    })
    expect(await problemsOf(judged, {})).toMatchInlineSnapshot(
      `"  doubled: dist/app.js was produced with the same bytes by step 'build' and step 'check'"`,
    )
  })

  test('finds a visit that produced its artifacts twice', async () => {
    const session = await completed()
    const events = session.events()
    const finish = events.find((event) => event.kind === 'step_finish' && event.step === 'build')
    const again = finish === undefined ? [] : [{ ...finish, seq: 99 }]
    const judged = { ...withState(session, () => ({})), events: () => [...events, ...again] }
    expect(await problemsOf(judged, {})).toBe(
      `  doubled: dist/app.js was produced twice by visit 1 of step 'build' (events ${finish?.seq} and 99)`,
    )
  })

  test('refuses an expectation of content for a folder, and a path out of the project', async () => {
    const session = await completed()
    await expect(assertWorkflowArtifacts(session, { 'docs/': { text: '' } })).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: `The expected artifact 'docs/' is a folder and has no content of its own: expect text, json or sha256 of the files in it.`,
    })
    await expect(assertWorkflowArtifacts(session, { '../x': {} })).rejects.toMatchObject({
      code: 'PATH_OUTSIDE',
    })
  })
})
