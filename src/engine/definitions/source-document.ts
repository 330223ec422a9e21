import { definitionError } from './problems.ts'
import type { SourcePath } from './problems.ts'
import type { WorkflowSource } from './workflow-source.ts'

/** A source that has been parsed: plain data, and the place in the text that each part came from. */
export interface SourceDocument {
  readonly value: unknown
  /** `file:line:column`, or what stands for it when there is no text. */
  place(path: SourcePath): string
}

const maxTextLength = 1024 * 1024
const maxAliases = 100
const maxDepth = 64

/** @throws FaultlineError `DEFINITION_INVALID` for text that is not YAML or goes beyond the limits. */
export async function parseSource(source: WorkflowSource): Promise<SourceDocument> {
  const document = source.text === undefined ? plainDocument(source) : await yamlDocument(source.text, source.file ?? 'workflow')
  const problem = unsafePart(document.value, [])
  if (problem !== undefined) throw definitionError([problem], (path) => document.place(path))
  return document
}

function plainDocument({ value, file }: WorkflowSource): SourceDocument {
  const id = (value as { readonly id?: unknown } | null | undefined)?.id
  const name = file ?? (typeof id === 'string' ? `workflow '${id}'` : 'workflow')
  return { value, place: () => name }
}

async function yamlDocument(text: string, file: string): Promise<SourceDocument> {
  const fail = (place: string, message: string): Error => definitionError([{ path: [], message }], () => place)
  if (text.length > maxTextLength) throw fail(file, `is larger than ${maxTextLength} characters`)
  const { LineCounter, parseDocument, isNode } = await import('yaml')
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const [error] = document.errors
  if (error !== undefined) throw fail(at(error.pos[0]), `is not valid YAML: ${error.message}`)
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: maxAliases })
  } catch (thrown) {
    throw fail(file, `cannot be read: ${(thrown as Error).message}`)
  }
  return {
    value,
    place(path) {
      for (let length = path.length; length >= 0; length--) {
        const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
        if (isNode(node) && node.range) return at(node.range[0])
      }
      return file
    },
  }
}

/** Keys that could reach a prototype, and nesting that no real workflow has. */
function unsafePart(value: unknown, path: SourcePath): { path: SourcePath; message: string } | undefined {
  if (value === null || typeof value !== 'object') return undefined
  if (path.length > maxDepth) return { path: path.slice(0, 3), message: `is nested deeper than ${maxDepth} levels` }
  for (const [key, member] of Object.entries(value)) {
    if (key === '__proto__') return { path, message: `must not have a key '__proto__'` }
    const problem = unsafePart(member, [...path, Array.isArray(value) ? Number(key) : key])
    if (problem !== undefined) return problem
  }
  return undefined
}
