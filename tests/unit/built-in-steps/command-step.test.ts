import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { workflowFromText } from '../../../src/engine/index.ts'
import { assertWorkflowArtifacts, createProject, runWorkflowStepByStep } from '../../../src/harness/index.ts'
import { builtInSession, withEnvironment } from '../../support/built-in-session.ts'
import { isRunning } from '../../support/is-running.ts'

const oneStep = (parameters: string, more = ''): string => `id: flow
steps:
  - id: build
    agent: command
${more}    parameters: ${parameters}
`

/** Resolves when a program of the project has written a file. */
async function written(folder: string | undefined, path: string): Promise<void> {
  while (!existsSync(join(folder ?? '', path))) await new Promise((resolve) => setImmediate(resolve))
}

describe('a command step', () => {
  test('runs a program in the project, and what it wrote in place are its artifacts', async () => {
    const { session, project } = await builtInSession(
      `id: flow
steps:
  - id: build
    agent: command
    creates: [dist/app.js, docs/]
    parameters:
      command: [node, make.mjs, '--fast mode']
  - { id: pack, agent: command, requires: [dist/app.js], parameters: { command: [cat, app.js], cwd: dist } }
`,
      {
        files: {
          'make.mjs': `import { mkdirSync, writeFileSync } from 'node:fs'
mkdirSync('dist')
mkdirSync('docs/more', { recursive: true })
writeFileSync('dist/app.js', 'app ' + process.argv[2])
writeFileSync('docs/a.md', 'a')
writeFileSync('docs/more/b.md', 'b')
writeFileSync('aside.txt', 'nobody declared it')
console.log('made')
console.error('with a warning')`,
        },
      },
    )
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    expect(Object.values(session.state().steps).map(({ output }) => output)).toEqual([
      { exitCode: 0, stdout: 'made\n', stderr: 'with a warning\n' },
      { exitCode: 0, stdout: 'app --fast mode', stderr: '' },
    ])
    await assertWorkflowArtifacts(session, {
      'dist/app.js': { producedBy: 'build', text: 'app --fast mode' },
      'docs/a.md': { producedBy: 'build', text: 'a' },
      'docs/more/b.md': { producedBy: 'build', text: 'b' },
    })
    expect(session.state().artifacts.map(({ path }) => path)).not.toContain('aside.txt')
    expect(await project.readText('aside.txt')).toBe('nobody declared it')
  })

  test('fails with the exit code and the end of what the program said, and without its secrets', async () => {
    withEnvironment({ DEPLOY_TOKEN: 'abcdef123456', PLAIN: 'to be seen' })
    const { session } = await builtInSession(
      oneStep(
        `{ command: 'echo out; echo "no disk for $DEPLOY_TOKEN and $PLAIN" >&2; exit 2', shell: true, env: [DEPLOY_TOKEN, PLAIN] }`,
      ),
    )
    const outcome = await session.runToEnd()
    expect(outcome).toMatchObject({
      status: 'failed',
      step: 'build',
      error: { kind: 'process', category: 'transient', code: 'EXIT_2' },
    })
    expect(outcome.error?.message).toMatch(
      /^`echo out; .*` ended with exit code 2: no disk for \[redacted\] and to be seen$/,
    )
    expect(JSON.stringify(session.events())).not.toContain('abcdef123456')
  })

  test.each([
    ["[node, -e, 'process.exit(3)']", "`node -e 'process.exit(3)'` ended with exit code 3."],
    [
      `[node, -e, "process.exit('it''s'.length)", '', a b]`,
      "`node -e 'process.exit('\\''it'\\'''\\''s'\\''.length)' '' 'a b'` ended",
    ],
    [`'exit 4', shell: true`, '`exit 4` ended with exit code 4.'],
  ])('is shown as one would type it: %s', async (command, said) => {
    const { session } = await builtInSession(oneStep(`{ command: ${command} }`))
    expect((await session.runToEnd()).error?.message).toContain(said)
  })

  test('takes variables by name from the environment, or by value', async () => {
    withEnvironment({ WANTED: 'here', OTHER: 'not here' })
    const print = `{ command: [sh, -c, 'echo "$WANTED,$OTHER,$LEVEL"'], env: `
    const outputs: unknown[] = []
    for (const env of ['[WANTED]', '{ WANTED: true, OTHER: false, LEVEL: 3 }', '{ WANTED: set }']) {
      const { session } = await builtInSession(oneStep(`${print}${env} }`))
      await session.runToEnd()
      outputs.push(session.state().steps['build']?.output)
    }
    expect(outputs).toMatchObject([{ stdout: 'here,,\n' }, { stdout: 'here,,3\n' }, { stdout: 'set,,\n' }])
  })

  test('is tried again when its program fails and retries are left', async () => {
    const { session } = await builtInSession(
      oneStep(
        `{ command: 'test -e once && echo good > out.txt || { touch once; exit 7; }', shell: true }`,
        `    retries: 1\n    creates: [out.txt]\n`,
      ),
    )
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    expect(
      session.events().flatMap((event) => (event.kind === 'step_retry' ? [event.error.code] : [])),
    ).toEqual(['EXIT_7'])
  })

  test('has not created what its program did not write', async () => {
    const { session } = await builtInSession(
      oneStep(
        `{ command: [sh, -c, 'echo part > dist.txt'] }`,
        `    creates: [dist.txt, missing/, dist.map]\n`,
      ),
    )
    expect(await session.runToEnd()).toMatchObject({
      status: 'failed',
      error: { kind: 'missing-artifact', message: expect.stringContaining(`'missing/'`) },
    })
    expect(session.state().artifacts).toEqual([])
  })

  test('is ended with all that it has started when its time is up, under the virtual clock too', async () => {
    const { session, project } = await builtInSession(
      oneStep(`{ command: 'sleep 600 & echo $! > pid; wait', shell: true }`, `    timeout: 1\n`),
    )
    expect(await session.runToEnd()).toMatchObject({
      status: 'failed',
      error: { kind: 'timeout', message: `Step 'build' (attempt 1) exceeded its limit of 1 s.` },
    })
    await session.close()
    expect(isRunning(Number(await project.readText('pid')))).toBe(false)
  })

  test('whose engine dies leaves half a file and a running program; whoever takes over ends that first and runs it again', async () => {
    const { session, project } = await builtInSession(
      `id: flow
steps:
  - id: build
    agent: command
    creates: [out.txt]
    parameters:
      shell: true
      command: |
        echo half > out.txt
        test -e begun && { echo whole >> out.txt; exit 0; }
        echo $$ > begun
        while :; do sleep 60; done
  - { id: watch, agent: watcher, requires: [] }
  - { id: use, agent: watcher, requires: [out.txt] }
`,
      { clock: 'real', agents: { watcher: ({ project: { folder } }) => written(folder, 'begun') } },
    )
    expect(await session.next()).toEqual({ status: 'stopped', step: 'watch' })
    const recorded = session.events().find(({ kind }) => kind === 'process_start')
    const orphan = Number(await project.readText('begun'))
    expect(recorded).toMatchObject({ step: 'build', visit: 1, attempt: 1, group: { pid: orphan } })
    await session.crash()
    expect(isRunning(orphan)).toBe(true)
    expect(await project.readText('out.txt')).toBe('half\n')
    expect(await session.resume()).toEqual({ status: 'stopped', step: 'build' })
    expect(isRunning(orphan)).toBe(false)
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    await assertWorkflowArtifacts(session, { 'out.txt': { producedBy: 'build', text: 'half\nwhole\n' } })
    expect(session.state().artifacts).toMatchObject([{ path: 'out.txt', attempt: 2 }])
  })

  test.each([
    ['{}', `Step 'build' needs the parameter 'command'.`],
    [
      '{ command: npm test }',
      `must be a list of program and arguments (a text needs 'shell: true') and is "npm test"`,
    ],
    ['{ command: [] }', `has the parameter 'command', which must be a list with a program and is []`],
    ['{ command: [a, 1] }', `has the parameter 'command', which must be a list of texts`],
    ['{ command: [a], shell: yes please }', `has the parameter 'shell', which must be true or false`],
    ['{ command: [a], env: 7 }', `has the parameter 'env', which must be a map of texts and is 7`],
    [
      '{ command: [a], cap_bytes: -1 }',
      `has the parameter 'cap_bytes', which must be a whole number from 0 and is -1`,
    ],
    ['{ command: [a], kill_grace: long }', `which must be a number of seconds from 0 and is "long"`],
    ['{ command: [a], cdw: b }', `has no parameter 'cdw'. Did you mean 'cwd'?`],
  ])('is refused before anything runs for the parameters %s', async (parameters, message) => {
    await expect(builtInSession(oneStep(parameters))).rejects.toThrow(message)
    await expect(builtInSession(oneStep(parameters))).rejects.toMatchObject({
      code: 'DEFINITION_INVALID',
      message: expect.stringMatching(/^flow\.yaml:5: Step 'build' /),
      details: { step: 'build', path: 'steps.build.parameters' },
    })
  })

  test('that turns out not to be able to start says why, and is not tried again', async () => {
    const wrong: readonly (readonly [string, string])[] = [
      ['{ command: [no-such-program] }', `'no-such-program' cannot be started: there is no such program.`],
      ['{ command: ["true"], cwd: .. }', `'true' cannot be started: `],
      ['{ command: "${input.list}" }', `which must be a list of program and arguments`],
    ]
    for (const [parameters, message] of wrong) {
      const { session } = await builtInSession(oneStep(parameters, '    retries: 3\n'), {
        input: { list: 'all of it' },
      })
      const { error } = await session.runToEnd()
      expect([parameters, error]).toMatchObject([
        parameters,
        { category: 'permanent', message: expect.stringContaining(message) },
      ])
      expect(session.events().filter(({ kind }) => kind === 'step_retry')).toHaveLength(0)
    }
  })

  test('is refused in a simulated world, where no program can see the disk, unless something stands in', async () => {
    const text = oneStep(`{ command: [make, all] }`, `    creates: [dist/app.js]\n`)
    const refused = await builtInSession(text, { disk: 'simulated' })
    expect(await refused.session.runToEnd()).toMatchObject({
      status: 'failed',
      error: {
        kind: 'validation',
        message:
          `Step 'build' starts 'make', and this run lives in a simulated world, which no program can see. Run it with ` +
          `disk: 'folder', or say with the option 'programs' what stands in.`,
      },
    })
    const { session } = await builtInSession(text, {
      disk: 'simulated',
      programs: {
        async make({ parameters, write }) {
          await write('dist/app.js', parameters.join())
          return { stdout: 'made' }
        },
      },
    })
    expect(await session.runToEnd()).toEqual({ status: 'completed' })
    const [made] = (await session.recording()).artifacts
    expect(made).toEqual({ path: 'dist/app.js', bytes: new TextEncoder().encode('all') })
    const unknown = await builtInSession(text, { disk: 'simulated', programs: { maek: () => {} } })
    expect((await unknown.session.runToEnd()).error?.message).toBe(
      `'make' cannot be started: no such program is simulated. Did you mean 'maek'?`,
    )
  })

  test('may undo what a step has done, and its parameters are checked too', async () => {
    const text = (undo: string): string => `id: flow
settings: { rollback: true }
steps:
  - id: build
    agent: command
    creates: [made.txt]
    parameters: { command: [sh, -c, 'echo made > made.txt'] }
    undo: { agent: command, parameters: ${undo} }
  - { id: fail, agent: command, requires: [made.txt], parameters: { command: ['false'] } }
`
    const { session, project } = await builtInSession(text('{ command: [rm, made.txt] }'))
    expect(await session.runToEnd()).toMatchObject({ status: 'failed', step: 'fail' })
    expect(await project.exists('made.txt')).toBe(false)
    const words = session.events().flatMap(({ kind }) => (/undo|process/.test(kind) ? [kind] : []))
    expect(words).toEqual(['process_start', 'process_start', 'undo_start', 'process_start', 'undo_finish'])
    await expect(builtInSession(text('{ comand: [rm] }'))).rejects.toMatchObject({
      details: { step: 'build', path: 'steps.build.undo.parameters' },
    })
  })

  test('is replaced by an agent of the same name, and by a stand-in where all agents are', async () => {
    const text = oneStep(`{ command: [no-such-program] }`, `    creates: [out.txt]\n`)
    const own = await builtInSession(text, {
      agents: { command: ({ artifacts }) => artifacts.write('out.txt', 'mine') },
    })
    expect(await own.session.runToEnd()).toEqual({ status: 'completed' })
    const project = await createProject()
    const mocked = await runWorkflowStepByStep(workflowFromText(text, 'flow.yaml'), { project })
    expect(await mocked.runToEnd()).toEqual({ status: 'completed' })
    expect(await project.readText('out.txt')).toContain('Mock content')
    await mocked.close()
    await project.remove()
  })
})
