import { parseSync, visitorKeys } from 'oxc-parser'

/** A node of the ESTree form of TypeScript; fields beyond these are read by name and checked where read. */
export interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly [field: string]: unknown
}

export interface Specifier {
  /** The module's name as written; undefined for `import(expression)`. */
  readonly text: string | undefined
  readonly line: number
}

export interface ModuleSyntax {
  readonly program: SyntaxNode
  /** Every import, re-export, `import()`, type `import()` and `declare module`, in the order of the text. */
  readonly specifiers: readonly Specifier[]
  readonly errors: readonly string[]
  readonly lineAt: (offset: number) => number
}

/** Parses one TypeScript module. Syntax errors are returned, not thrown. */
export function parseModule(file: string, source: string): ModuleSyntax {
  const parsed = parseSync(file, source)
  const program: unknown = parsed.program
  if (!isNode(program)) throw new Error(`the parser gave no program for ${file}`)
  const lineAt = lineCounter(source)
  const specifiers: Specifier[] = []
  walk(program, (node) => {
    const named = specifierOf(node)
    if (named !== undefined) specifiers.push({ text: literal(named), line: lineAt(node.start) })
  })
  return { program, specifiers, errors: parsed.errors.map(({ message }) => message), lineAt }
}

export function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

/** The child nodes with the field each stands in, in the order of the text. */
export function children(node: SyntaxNode): { readonly field: string; readonly child: SyntaxNode }[] {
  return (visitorKeys[node.type] ?? []).flatMap((field) => {
    const value = node[field]
    const nodes: unknown[] = Array.isArray(value) ? value : [value]
    return nodes.filter(isNode).map((child) => ({ field, child }))
  })
}

function walk(node: SyntaxNode, visit: (node: SyntaxNode) => void): void {
  visit(node)
  for (const { child } of children(node)) walk(child, visit)
}

/** The node that names another module, if this one refers to one. */
function specifierOf(node: SyntaxNode): unknown {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportAllDeclaration':
    case 'ExportNamedDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return node['source'] ?? undefined
    case 'TSExternalModuleReference':
      return node['expression']
    case 'TSModuleDeclaration':
      return isNode(node['id']) && node['id'].type === 'Literal' ? node['id'] : undefined
    default:
      return undefined
  }
}

function literal(node: unknown): string | undefined {
  if (!isNode(node)) return undefined
  if (node.type === 'TSLiteralType') return literal(node['literal'])
  return node.type === 'Literal' && typeof node['value'] === 'string' ? node['value'] : undefined
}

function lineCounter(source: string): (offset: number) => number {
  return (offset) => source.slice(0, offset).split('\n').length
}
