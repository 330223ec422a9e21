import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { bundleCommand } from '../../../src/cli/commands/bundle.ts'
import { answerCommand } from '../../../src/cli/commands/answer.ts'
import { cancelCommand } from '../../../src/cli/commands/cancel.ts'
import { diagnosticsCommand } from '../../../src/cli/commands/diagnostics.ts'
import { graphCommand } from '../../../src/cli/commands/graph.ts'
import { historyCommand } from '../../../src/cli/commands/history.ts'
import { replayCommand } from '../../../src/cli/commands/replay.ts'
import { resumeCommand } from '../../../src/cli/commands/resume.ts'
import { runCommand } from '../../../src/cli/commands/run.ts'
import { showCommand } from '../../../src/cli/commands/show.ts'
import { stateCommand } from '../../../src/cli/commands/state.ts'
import { statusCommand } from '../../../src/cli/commands/status.ts'
import { sweepCommand } from '../../../src/cli/commands/sweep.ts'
import { timelineCommand } from '../../../src/cli/commands/timeline.ts'
import { validateCommand } from '../../../src/cli/commands/validate.ts'
import { normalisedFields, normalisedStateFields } from '../../../src/trace/index.ts'
import type { EventKind } from '../../../src/trace/index.ts'
import { documentationPages, fencedBlocks, readPage, repository, tableRows } from '../../support/markdown.ts'

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

describe('README.md', () => {
  test('begins with one command for the main job and one for the tests', () => {
    expect(fencedBlocks('README.md')[0]).toEqual({
      page: 'README.md',
      language: 'sh',
      text: 'npm install --no-audit --no-fund && npm run demo\nnpm install --no-audit --no-fund && npm test\n',
    })
  })
})

describe('docs/state-and-log.md', () => {
  const rows = tableRows(readPage('docs/state-and-log.md'))

  test('names every kind of event and no other', () => {
    const named = rows
      .flatMap(([kinds = '']) => kinds.split(', '))
      .filter((kind) => /^[a-z]+_[a-z]+$|^checkpoint$/.test(kind))
    expect(named.sort()).toEqual(Object.keys(eventKinds))
  })

  test('lists what is left out when two runs are compared, with the reasons', () => {
    const fields = rows
      .filter(([, rule = '']) => ['id', 'instant', 'duration', 'removed'].includes(rule))
      .map(([field, rule, why]) => ({ field, rule, why }))
    expect(fields).toEqual([...normalisedFields, ...normalisedStateFields])
  })
})

describe('docs/cli.md', () => {
  const page = readPage('docs/cli.md')
  const commands: readonly Command[] = [
    runCommand(),
    resumeCommand(),
    answerCommand(),
    cancelCommand(),
    statusCommand(),
    historyCommand(),
    timelineCommand(),
    diagnosticsCommand(),
    ...stateCommand().commands,
    showCommand(),
    replayCommand(),
    ...bundleCommand().commands,
    validateCommand(),
    graphCommand(),
    sweepCommand(),
  ]

  test('lists every command with its argument', () => {
    const listed = tableRows(page).flatMap(([command = '']) =>
      command.startsWith('faultline ') ? [command] : [],
    )
    expect(listed).toEqual(
      commands.map((command) => {
        const [argument] = command.registeredArguments
        const group = command.parent === null ? '' : `${command.parent.name()} `
        if (argument === undefined) return `faultline ${group}${command.name()}`
        const name = argument.required ? `<${argument.name()}>` : `[${argument.name()}]`
        return `faultline ${group}${command.name()} ${name}`
      }),
    )
  })

  test('explains every option and none besides', () => {
    const options = commands.flatMap((command) => command.options.map((option) => option.long))
    const explained = [...page.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([option]) => option)
    expect(new Set(explained)).toEqual(new Set(options))
  })
})

test('every link between pages leads to a file, and to a heading where it names one', () => {
  const broken = documentationPages().flatMap((page) =>
    [...readPage(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)].flatMap(
      ([link, path = '', heading]) => {
        const target = path === '' ? page : join(dirname(page), path)
        if (!existsSync(join(repository, target))) return [`${page}: ${link}`]
        return heading === undefined || headings(target).includes(heading) ? [] : [`${page}: ${link}`]
      },
    ),
  )
  expect(broken).toEqual([])
})

test('every path in the code quotes of the documentation exists', () => {
  const missing = documentationPages().flatMap((page) =>
    [
      ...readPage(page).matchAll(/`((?:src|tests|docs|examples|bench|scripts|templates)(?:\/[\w./-]+)?)`/g),
    ].flatMap(([, path = '']) => (existsSync(join(repository, path)) ? [] : [`${page}: ${path}`])),
  )
  expect(missing).toEqual([])
})

function headings(page: string): readonly string[] {
  return [...readPage(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\s-]/g, '')
      .replaceAll(' ', '-'),
  )
}
