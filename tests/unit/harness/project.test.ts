import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createProject, openProject, runWorkflowStepByStep } from '../../../src/harness/index.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'faultline-project-test-'))
})

afterEach(() => {
  rmSync(root, { recursive: true })
})

describe('createProject', () => {
  test('makes a folder below the given root with the files of the template, and removes it', async () => {
    const project = await createProject({ template: 'minimal', root })
    expect(await project.list()).toEqual([
      'app.json',
      'faultline.agents.mjs',
      'src/intro.md',
      'src/steps.md',
      'workflows/release.yaml',
    ])
    expect(readdirSync(project.folder as string).sort()).toEqual([
      'app.json',
      'faultline.agents.mjs',
      'src',
      'workflows',
    ])
    expect(readdirSync(root)).toHaveLength(1)
    await project.remove()
    expect(readdirSync(root)).toEqual([])
    await project.remove()
  })

  test('keeps the folder when asked to', async () => {
    const project = await createProject({ root, keep: true, name: 'Kept: for a look' })
    await project.write('a.md', 'x')
    await project.remove()
    expect(readdirSync(root)).toEqual([expect.stringMatching(/^kept-for-a-look-/)])
    expect(existsSync(join(project.folder as string, 'a.md'))).toBe(true)
  })

  test('removes the temporary folder that it makes when no root is given', async () => {
    const project = await createProject({ template: 'minimal' })
    expect(existsSync(project.folder as string)).toBe(true)
    await project.remove()
    expect(existsSync(project.folder as string)).toBe(false)
  })

  test('gives projects made at the same time folders and files of their own', async () => {
    const projects = await Promise.all(
      Array.from({ length: 20 }, () => createProject({ template: 'minimal', root })),
    )
    await Promise.all(projects.map((project, index) => project.write('src/intro.md', `mine ${index}`)))
    const texts = await Promise.all(projects.map((project) => project.readText('src/intro.md')))
    expect(texts).toEqual(projects.map((_, index) => `mine ${index}`))
    expect(new Set(projects.map((project) => project.folder)).size).toBe(20)
  })

  test('does not let what a project does reach the template', async () => {
    const first = await createProject({ template: 'minimal', root })
    const original = await first.readText('src/intro.md')
    await first.write('src/intro.md', 'changed')
    const second = await createProject({ template: 'minimal', root })
    expect(await second.readText('src/intro.md')).toBe(original)
  })

  test('makes an empty project without a template', async () => {
    const project = await createProject({ root, seed: 7, correlationId: 'c-7' })
    expect([await project.list({ all: true }), project.agents]).toEqual([[], {}])
    expect([project.template, project.seed, project.correlationId]).toEqual(['none', 7, 'c-7'])
  })

  test('looks into the own templates first', async () => {
    place('templates/medium/deep/er/own.md', 'own')
    const own = await createProject({ template: 'medium', templates: join(root, 'templates'), root })
    expect([await own.list(), own.agents]).toEqual([['deep/er/own.md'], {}])
    const packed = await createProject({ template: 'small', templates: join(root, 'templates'), root })
    expect(await packed.exists('workflows/release.yaml')).toBe(true)
  })

  test('brings the agents of the template, loaded once', async () => {
    const [one, other] = [
      await createProject({ template: 'small', root }),
      await createProject({ template: 'small', root }),
    ]
    expect(Object.keys(one.agents)).toEqual(['planner', 'builder', 'tester', 'reviewer', 'publisher'])
    expect(other.agents['builder']).toBe(one.agents['builder'])
  })

  test('brings agents in TypeScript, loaded once, and puts their module into the project', async () => {
    place(
      'templates/typed/faultline.agents.ts',
      'export const agents = { builder: async (): Promise<number> => 1 }',
    )
    const make = () => createProject({ template: 'typed', templates: join(root, 'templates'), root })
    const [one, other] = [await make(), await make()]
    expect(await one.list()).toEqual(['faultline.agents.ts'])
    expect(Object.keys(one.agents)).toEqual(['builder'])
    expect(other.agents['builder']).toBe(one.agents['builder'])
  })

  test.each([
    [
      'no function',
      `export const agents = { builder: 'x' }`,
      `its agent 'builder' is of type string, not a function`,
    ],
    ['no agents', 'export const agent = {}', `it does not export 'agents'`],
  ])('refuses a template whose agents module has %s, by name', async (_what, text, why) => {
    place('templates/bad/faultline.agents.mjs', text)
    const make = createProject({ template: 'bad', templates: join(root, 'templates'), root })
    await expect(make).rejects.toThrow(`The agents module faultline.agents.mjs cannot be used: ${why}`)
  })

  test('names a template that does not exist, the nearest one, and all', async () => {
    await expect(createProject({ template: 'smal', root })).rejects.toMatchObject({
      code: 'TEMPLATE_UNKNOWN',
      message: `There is no project template 'smal'. Did you mean 'small'?`,
      details: { template: 'smal', known: ['medium', 'minimal', 'small'] },
    })
    await expect(createProject({ template: 'warehouse', root })).rejects.toThrow(
      `There is no project template 'warehouse'. Known: 'medium', 'minimal', 'small'.`,
    )
    expect(readdirSync(root)).toEqual([])
  })

  test('refuses a template name that is a path', async () => {
    await expect(createProject({ template: '../small', root })).rejects.toMatchObject({ code: 'ID_INVALID' })
  })
})

describe('a project in memory', () => {
  test('has no folder; its files are seen through the fs API as well', async () => {
    const project = await createProject({ template: 'minimal', storage: 'memory' })
    expect(project.folder).toBeUndefined()
    project.fs?.writeFileSync('/src/new.md', 'through fs')
    expect(await project.list()).toContain('src/new.md')
    expect(project.fs?.readFileSync('/src/intro.md', 'utf8')).toBe(await project.readText('src/intro.md'))
  })

  test('gives a run the same artifacts as a folder does', async () => {
    const digests: unknown[] = []
    for (const storage of ['memory', 'folder'] as const) {
      const project = await createProject({ template: 'minimal', storage, root })
      const session = await runWorkflowStepByStep('workflows/release.yaml', {
        project,
        agents: project.agents,
      })
      await session.runToEnd()
      digests.push(session.state().artifacts.map(({ path, sha256 }) => [path, sha256]))
    }
    expect(digests[0]).toHaveLength(3)
    expect(digests[1]).toEqual(digests[0])
  })
})

describe.each(['folder', 'memory'] as const)('the files of a project (%s)', (storage) => {
  const made = () => createProject({ storage, root })

  test('are written with the folders they need, and read back', async () => {
    const project = await made()
    await project.write('a/b/c.txt', 'text')
    await project.write('a/b.bin', new Uint8Array([0, 255]))
    expect(await project.readText('a/b/c.txt')).toBe('text')
    expect([...(await project.read('a/b.bin'))]).toEqual([0, 255])
    expect([await project.exists('a/b'), await project.exists('a/x')]).toEqual([true, false])
  })

  test('are listed sorted by path, those of the engine only on request', async () => {
    const project = await made()
    for (const path of ['b.md', 'a/z.md', 'a.md', '.workflow/last.json']) await project.write(path, '')
    expect(await project.list()).toEqual(['a.md', 'a/z.md', 'b.md'])
    expect(await project.list({ all: true })).toEqual(['.workflow/last.json', 'a.md', 'a/z.md', 'b.md'])
  })

  test('are named with the nearest one when they do not exist', async () => {
    const project = await made()
    await project.write('report.md', '')
    await expect(project.read('raport.md')).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
      message: `The project has no file 'raport.md'. Did you mean 'report.md'?`,
    })
  })

  test.each(['../x', '/etc/passwd', 'a/../../x', ''])('cannot be outside: %j', async (path) => {
    const project = await made()
    await expect(project.write(path, '')).rejects.toMatchObject({ code: 'PATH_OUTSIDE' })
    await expect(project.read(path)).rejects.toMatchObject({ code: 'PATH_OUTSIDE' })
  })
})

describe('openProject', () => {
  test('works in a folder that exists and leaves it there', async () => {
    writeFileSync(join(root, 'notes.md'), 'mine')
    const project = openProject(root)
    expect([await project.list(), project.folder]).toEqual([['notes.md'], root])
    await project.remove()
    expect(readdirSync(root)).toEqual(['notes.md'])
  })

  test('names a folder that does not exist', () => {
    expect(() => openProject(join(root, 'gone'))).toThrow(expect.objectContaining({ code: 'FILE_NOT_FOUND' }))
  })
})

function place(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}
