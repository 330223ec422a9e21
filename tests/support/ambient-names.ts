import { children, isNode, type ModuleSyntax, type SyntaxNode } from './module-syntax.ts'

export interface AmbientName {
  readonly name: string
  readonly line: number
}

/** Globals through which code reaches the machine behind the ports' back, or all the others (`globalThis`). */
const ambientGlobals: ReadonlySet<string> = new Set([
  'Date',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'crypto',
  'process',
  'performance',
  'fetch',
  'require',
  'global',
  'globalThis',
])

/** Globals of which one member is ambient and the rest is pure; a copy of the whole into a variable hides which. */
const ambientMembers: Readonly<Record<string, string>> = {
  Math: 'random',
  AbortSignal: 'timeout',
  Atomics: 'wait',
}

const scopeTypes: ReadonlySet<string> = new Set([
  'Program',
  'BlockStatement',
  'StaticBlock',
  'SwitchStatement',
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'CatchClause',
  'ArrowFunctionExpression',
  'FunctionDeclaration',
  'FunctionExpression',
  'ClassDeclaration',
  'ClassExpression',
  'TSDeclareFunction',
  'TSEmptyBodyFunctionExpression',
  'TSFunctionType',
  'TSConstructorType',
  'TSCallSignatureDeclaration',
  'TSConstructSignatureDeclaration',
  'TSMethodSignature',
  'TSIndexSignature',
  'TSModuleBlock',
])

/** Fields whose identifier is a name of its own, not a reference, unless it is computed. */
const nameFields: ReadonlySet<string> = new Set([
  'MemberExpression.property',
  'Property.key',
  'PropertyDefinition.key',
  'AccessorProperty.key',
  'MethodDefinition.key',
  'TSAbstractPropertyDefinition.key',
  'TSAbstractMethodDefinition.key',
  'TSPropertySignature.key',
  'TSMethodSignature.key',
])

/** Fields whose identifier is never a reference to a value or type of this file's surroundings. */
const wordFields: ReadonlySet<string> = new Set([
  'BreakStatement.label',
  'ContinueStatement.label',
  'LabeledStatement.label',
  'ExportSpecifier.exported',
  'ImportSpecifier.imported',
  'ImportAttribute.key',
  'MetaProperty.meta',
  'MetaProperty.property',
  'TSImportType.qualifier',
  'TSNamedTupleMember.label',
  'TSQualifiedName.right',
  'TSTypePredicate.parameterName',
])

/**
 * The references to ambient globals. A name that the file itself declares, in the scope or around it, is not one: a port
 * may be called `process`, and a property may be called `fetch`.
 */
export function ambientNames({ program, lineAt }: ModuleSyntax): AmbientName[] {
  const found: AmbientName[] = []
  visit(program, [], (name, node) => found.push({ name, line: lineAt(node.start) }))
  return found
}

type Scope = ReadonlySet<string>
type Report = (name: string, node: SyntaxNode) => void

function visit(node: SyntaxNode, scopes: readonly Scope[], report: Report): void {
  const inner = scopeTypes.has(node.type) ? [...scopes, declaredIn(node)] : scopes
  const ambient = ambientReference(node, inner)
  if (ambient !== undefined) report(ambient, node)
  const reExport = node.type === 'ExportNamedDeclaration' && isNode(node['source'])
  for (const { field, child } of children(node)) {
    if (!reExport && !isOnlyName(node, field)) visit(child, inner, report)
  }
}

function ambientReference(node: SyntaxNode, scopes: readonly Scope[]): string | undefined {
  const isGlobal = (name: string): boolean => !scopes.some((scope) => scope.has(name))
  switch (node.type) {
    case 'Identifier': {
      const name = String(node['name'])
      return ambientGlobals.has(name) && isGlobal(name) ? name : undefined
    }
    case 'MemberExpression': {
      const owner = identifierName(node['object'])
      const member = memberOf(owner)
      if (member === undefined || !isGlobal(owner)) return undefined
      const pure = node['computed'] !== true && identifierName(node['property']) !== member
      return pure ? undefined : `${owner}.${member}`
    }
    case 'VariableDeclarator': {
      const owner = identifierName(node['init'])
      const member = memberOf(owner)
      return member !== undefined && isGlobal(owner) ? `${owner}.${member}` : undefined
    }
    default:
      return undefined
  }
}

function identifierName(node: unknown): string {
  return isNode(node) && node.type === 'Identifier' ? String(node['name']) : ''
}

function memberOf(owner: string): string | undefined {
  return Object.hasOwn(ambientMembers, owner) ? ambientMembers[owner] : undefined
}

function isOnlyName(node: SyntaxNode, field: string): boolean {
  const place = `${node.type}.${field}`
  return wordFields.has(place) || (nameFields.has(place) && node['computed'] !== true)
}

/** The names that a scope's own statements, parameters and head declare; `var` is taken as `let`. */
function declaredIn(scope: SyntaxNode): Scope {
  const names = new Set<string>()
  const declare = (node: unknown): void => {
    for (const name of patternNames(node)) names.add(name)
  }
  declare(scope['id'])
  declare(scope['param'])
  for (const parameter of list(scope['params'])) declare(parameter)
  for (const parameter of list(scope['parameters'])) declare(parameter)
  const statements = scope.type === 'SwitchStatement' ? caseStatements(scope) : list(scope['body'])
  for (const statement of [...statements, scope['init'], scope['left']]) {
    for (const declared of declarations(statement)) declare(declared)
  }
  return names
}

function caseStatements(node: SyntaxNode): unknown[] {
  return list(node['cases']).flatMap((each) => (isNode(each) ? list(each['consequent']) : []))
}

/** The patterns and names which a statement binds in the scope it stands in. */
function declarations(statement: unknown): unknown[] {
  if (!isNode(statement)) return []
  switch (statement.type) {
    case 'ExportNamedDeclaration':
      return declarations(statement['declaration'])
    case 'ImportDeclaration':
      return list(statement['specifiers']).map((each) => (isNode(each) ? each['local'] : undefined))
    case 'VariableDeclaration':
      return list(statement['declarations']).map((each) => (isNode(each) ? each['id'] : undefined))
    case 'ClassDeclaration':
    case 'FunctionDeclaration':
    case 'TSDeclareFunction':
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
      return [statement['id']]
    default:
      return []
  }
}

function patternNames(pattern: unknown): string[] {
  if (!isNode(pattern)) return []
  switch (pattern.type) {
    case 'Identifier':
      return [String(pattern['name'])]
    case 'AssignmentPattern':
      return patternNames(pattern['left'])
    case 'RestElement':
      return patternNames(pattern['argument'])
    case 'ArrayPattern':
      return list(pattern['elements']).flatMap(patternNames)
    case 'ObjectPattern':
      return list(pattern['properties']).flatMap((property) => {
        if (!isNode(property)) return []
        return patternNames(property.type === 'Property' ? property['value'] : property)
      })
    default:
      return []
  }
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
