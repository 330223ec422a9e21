import type { AgentContext } from '../ports/index.ts'

interface MockFile {
  readonly context: AgentContext
  readonly path: string
  /** SHA-256 of what the step read, by path. */
  readonly inputs: Readonly<Record<string, string>>
}

/** What a mock agent writes into one file, in a form that tools for that kind of file accept. */
export function mockContent({ context, path, inputs }: MockFile): string {
  const facts = {
    workflow: context.workflowId,
    step: context.step,
    agent: context.agent,
    action: context.action ?? null,
    seed: context.seed,
  }
  const extension = path.slice(path.lastIndexOf('.') + 1).toLowerCase()
  if (extension === 'json') return `${JSON.stringify({ path, ...facts, inputs }, null, 2)}\n`

  const title = `Mock content of ${path}`
  const lines = Object.entries(facts).map(([name, value]) => `${name}: ${value ?? 'none'}`)
  const read = Object.entries(inputs).map(([input, sha256]) => `${input} sha256:${sha256}`)
  if (extension === 'md') {
    return [
      `# ${title}`,
      '',
      ...lines.map(listItem),
      '',
      '## Inputs',
      '',
      ...orNone(read).map(listItem),
      '',
    ].join('\n')
  }
  const prefix = linePrefixes[extension] ?? ''
  return [title, ...lines, 'inputs:', ...orNone(read).map((line) => `  ${line}`)]
    .map((line) => `${prefix}${line}\n`)
    .join('')
}

/** How a line is made a comment, where plain text would break a compiler or loader. */
const linePrefixes: Readonly<Record<string, string>> = {
  cjs: '// ',
  go: '// ',
  java: '// ',
  js: '// ',
  jsx: '// ',
  mjs: '// ',
  py: '# ',
  rs: '// ',
  sh: '# ',
  sql: '-- ',
  toml: '# ',
  ts: '// ',
  tsx: '// ',
  yaml: '# ',
  yml: '# ',
}

function listItem(line: string): string {
  return `- ${line}`
}

function orNone(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? ['none'] : lines
}
