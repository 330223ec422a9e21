import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { documentationPages, fencedBlocks, readPage, repository } from '../support/markdown.ts'
import type { FencedBlock } from '../support/markdown.ts'
import { stranger } from '../support/stranger.ts'
import type { Stranger } from '../support/stranger.ts'

const allBlocks = documentationPages().flatMap((page) => fencedBlocks(page))
const feature = readFileSync(join(repository, 'examples/demo/feature.yaml'), 'utf8')

let open: Stranger | undefined

afterEach(() => {
  open?.remove()
  open = undefined
})

describe('the demo', () => {
  test('goes as told, and README.md shows what it prints', { timeout: 180_000 }, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['examples/demo/run.mjs'], {
      cwd: repository,
      encoding: 'utf8',
    })
    expect([status, stderr]).toEqual([0, ''])
    expect(
      stdout
        .split('\n')
        .filter((line) => /^(==|\$|reproduced|passes now|All of it)/.test(line))
        .map(shape),
    ).toMatchInlineSnapshot(`
      [
        "== 1. Six agents build a feature. The reviewer fails half-way: exit code 1, and a bundle.",
        "$ npx faultline run feature.yaml --mock --fault 'agent-error:review,message=model overloaded'",
        "== 2. What is on disk: which steps are done, where it stopped and why.",
        "$ npx faultline status",
        "== 3. A new process resumes. What was complete does not run again.",
        "$ npx faultline resume",
        "== 4. A test lets the announcer fail after it has posted. After the resume there are two posts: a bug.",
        "$ npx vitest run",
        "== 5. The bundle makes it happen again.",
        "$ npx faultline replay faultline-bundles/<run>/the-release-is-announced-<test>",
        "reproduced: posts: expected 2 to be 1 // Object.is equality",
        "== 6. The agent looks whether it has posted already, by its idempotency key. Now the test passes.",
        "$ npx faultline replay faultline-bundles/<run>/the-release-is-announced-<test>",
        "passes now",
        "All of it went as told. README.md says what to do next.",
      ]
    `)

    const shown = allBlocks.filter(
      ({ page, language }) => page === 'README.md' && /console|diff/.test(language),
    )
    const printed = stdout.split('\n').map(shape)
    for (const line of shown.flatMap(({ text }) => text.trimEnd().split('\n')))
      expect(printed).toContain(shape(line))
  })
})

describe('the samples of the documentation', () => {
  test('in TypeScript pass as they are', { timeout: 180_000 }, () => {
    const files = allBlocks.filter(({ language }) => language === 'ts').map(asFile)
    const project = withFiles(Object.fromEntries(files))
    const { code, stdout, stderr } = project.vitest(['--reporter=json', '--outputFile=report.json'])
    expect([code, stderr], stdout).toEqual([0, ''])
    const report = JSON.parse(project.read('report.json')) as { readonly numPassedTests: number }
    const tests = files.reduce((count, [, text]) => count + [...text.matchAll(/^ *test\(/gm)].length, 0)
    expect(report.numPassedTests).toBeGreaterThanOrEqual(tests)
  })

  test('in TypeScript are correctly typed, and so is the test of the demo', { timeout: 120_000 }, () => {
    const project = withFiles({
      ...Object.fromEntries(allBlocks.filter(({ language }) => language === 'ts').map(asFile)),
      'demo.test.ts': readFileSync(join(repository, 'examples/demo/release.test.ts.txt'), 'utf8'),
    })
    const tsc = join(inject('packedPackage'), 'node_modules/.bin/tsc')
    const options = '--noEmit --strict --skipLibCheck --target es2023 --module nodenext --types node'
    const files = project.files().filter((file) => file.endsWith('.ts'))
    const { status, stdout } = spawnSync(tsc, [...options.split(' '), ...files], {
      cwd: project.folder,
      encoding: 'utf8',
    })
    expect([status, stdout]).toEqual([0, ''])
  })

  test('that choose tests by tag choose those', { timeout: 120_000 }, () => {
    const lines = allBlocks
      .filter(({ language }) => language === 'sh')
      .flatMap(({ text }) => text.trimEnd().split('\n'))
      .filter((line) => line.startsWith('npx vitest run '))
    const config = allBlocks.filter(({ text }) => text.startsWith('// vitest.config.ts')).map(asFile)
    const project = withFiles({
      ...Object.fromEntries(config),
      'tags.test.ts': `import { test } from 'faultline/vitest'
test('tagged', { tags: ['e2e_workflow'] }, () => {})
test('untagged', () => {})
`,
    })
    const ran = lines.map((line) => {
      const { stdout } = project.vitest([...words(line.replace('npx vitest run ', '')), '--reporter=verbose'])
      return [line, [...stdout.matchAll(/✓ .*> (\w+)/g)].map(([, name]) => name)]
    })
    expect(ran).toEqual([
      ['npx vitest run --tags-filter e2e_workflow', ['tagged']],
      [`npx vitest run --tags-filter '!e2e_workflow'`, ['untagged']],
    ])
  })

  for (const page of documentationPages().filter((each) => each !== 'README.md')) {
    const consoles = fencedBlocks(page).filter(({ language }) => language === 'console')
    if (consoles.length === 0) continue
    test(`on the command line print what ${page} shows`, { timeout: 120_000 }, () => {
      const project = withFiles({ ...workflowsOf(page), 'feature.yaml': feature })
      for (const { command, lines } of consoles.flatMap(({ text }) => commandsOf(text))) {
        const { stdout, stderr } = project.faultline(...words(command.replace('npx faultline ', '')))
        const printed = stdout.split('\n').map(shape)
        for (const line of lines) expect(printed, `${command}\n${stdout}${stderr}`).toContain(shape(line))
      }
    })
  }

  test('in shell lines call scripts that package.json has', () => {
    const { scripts } = JSON.parse(readPage('package.json')) as { scripts: Record<string, string> }
    const lines = allBlocks.flatMap(({ language, text }) =>
      language === 'sh' ? text.trimEnd().split('\n') : [],
    )
    const called = lines.flatMap((line) =>
      [...line.matchAll(/npm (?:run )?([a-z:]+)/g)].map(([, name = '']) => name),
    )
    const unknown = called.filter((name) => name !== 'install' && scripts[name] === undefined)
    expect([called.length > 0, unknown]).toEqual([true, []])
  })
})

/** Names the file in its first line. */
function asFile({ page, text }: FencedBlock): readonly [path: string, text: string] {
  const path = /^\/\/ (\S+)\n/.exec(text)?.[1]
  if (path === undefined) throw new Error(`a TypeScript sample of ${page} does not begin with '// <file>'`)
  return [path, text]
}

/** The workflows that a page shows, as files: their first line names the file, otherwise their id does. */
function workflowsOf(page: string): Readonly<Record<string, string>> {
  const shown = fencedBlocks(page).flatMap(({ language, text }) => {
    if (language !== 'yaml') return []
    const id = /^id: (\S+)$/m.exec(text)?.[1]
    const path = /^# (\S+\.yaml)\n/.exec(text)?.[1] ?? (id === undefined ? undefined : `${id}.yaml`)
    return path === undefined ? [] : [[path, text] as const]
  })
  return Object.fromEntries(shown)
}

function withFiles(files: Readonly<Record<string, string>>): Stranger {
  open = stranger(inject('packedPackage'), {
    'package.json': '{ "name": "stranger", "type": "module" }',
    ...files,
  })
  return open
}

function commandsOf(
  text: string,
): readonly { readonly command: string; readonly lines: readonly string[] }[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [command = '', ...lines] = part.trimEnd().split('\n')
      return { command, lines }
    })
}

/** The words of a shell line; single quotes keep blanks. */
function words(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
}

/** A line without what differs in every run. */
function shape(line: string): string {
  return line
    .trimEnd()
    .replace(
      /faultline-bundles\/\S+\/the-release-is-announced-\S+/,
      'faultline-bundles/<run>/the-release-is-announced-<test>',
    )
    .replaceAll(/feature-(\d{8}T\d{6}-[0-9a-f]+|<id>)/g, 'feature-<id>')
}
