import type { CST, Document, Node, Pair, Scalar } from 'yaml'
import { messageOf } from '../../core/index.ts'
import type { JsonValue } from '../../core/index.ts'
import { createProblemList } from './problems.ts'
import { sourceLimits, valueAt } from './source-tree.ts'
import type { Position, SourcePath, SourceTree } from './source-tree.ts'

/**
 * Reads YAML, and JSON as the YAML that it is. Bounded in size, nesting and aliases; duplicate keys, unknown tags and
 * several documents are refused, so that what is loaded is what is read.
 */
export async function readText(text: string, file: string): Promise<SourceTree> {
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  const offsets: MemberOffsets = new WeakMap()
  let root: JsonValue = null
  // The parser's own failures are known by offset, everything else by path.
  let failedAt: number | undefined
  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const source = {
    label: file,
    file,
    position(path: SourcePath): Position | undefined {
      if (failedAt !== undefined) return positionOf(failedAt)
      return positionOf(offsetOf(offsets, root, path) ?? 0)
    },
  }
  const problems = createProblemList(source)
  const refuse = (offset: number, message: string): void => {
    failedAt = offset
    problems.add([], message)
  }

  if (text.length > sourceLimits.characters) {
    refuse(0, `the file is longer than ${sourceLimits.characters} characters`)
    problems.throwIfAny()
  }
  const document = parse(yaml, text, file.endsWith('.json') ? 'JSON' : 'YAML', lines, refuse)
  problems.throwIfAny()
  const converter: Converter = {
    yaml,
    offsets,
    numbers: new WeakMap(),
    anchors: new Map(),
    aliased: 0,
    inAlias: false,
    refuse,
  }
  root = convert(converter, document?.contents ?? null, 0)
  problems.throwIfAny()
  return {
    ...source,
    value: root,
    writtenNumber(path) {
      const parent = valueAt(root, path.slice(0, -1))
      return typeof parent === 'object' && parent !== null
        ? converter.numbers.get(parent)?.get(path.at(-1) ?? '')
        : undefined
    },
  }
}

type Yaml = typeof import('yaml')
type Refuse = (offset: number, message: string) => void
/** Offsets of the members of each list and map: of the key where there is one. */
type MemberOffsets = WeakMap<object, Map<string | number, number>>

function parse(
  yaml: Yaml,
  text: string,
  language: string,
  lines: import('yaml').LineCounter,
  refuse: Refuse,
): Document | undefined {
  try {
    const tokens = tokensOf(yaml, text, lines)
    if (tokens === undefined) {
      refuse(0, `the file holds more than ${sourceLimits.symbols} words and signs`)
      return undefined
    }
    // Composing recurses: nesting is measured before, on tokens, whose parser does not.
    const tooDeep = nestedTooDeep(tokens)
    if (tooDeep !== undefined) {
      refuse(tooDeep, `is nested deeper than ${sourceLimits.nesting} levels`)
      return undefined
    }
    // `uniqueKeys` compares every key with every other; the conversion below does it in linear time.
    const composer = new yaml.Composer({ prettyErrors: false, uniqueKeys: false })
    const documents = composer.compose(tokens, true, text.length)
    const first = documents.next()
    if (first.done) {
      refuse(0, 'the file is empty')
      return undefined
    }
    const document = first.value
    // Those behind the first are mostly its consequences.
    const flaw = document.errors[0] ?? document.warnings[0]
    if (flaw !== undefined) {
      const help = flaw.code === 'TAB_AS_INDENT' ? '; use spaces' : ''
      refuse(flaw.pos[0], `this is not valid ${language}: ${flaw.message}${help}`)
    }
    const second = documents.next()
    if (!second.done) refuse(second.value.range[0], 'the file holds more than one YAML document')
    else if (document.contents === null && document.errors.length === 0) refuse(0, 'the file is empty')
    return document
  } catch (error) {
    refuse(0, `this cannot be read as ${language}: ${messageOf(error)}`)
    return undefined
  }
}

/** @returns undefined for a text of so many signs that composing them would take minutes. */
function tokensOf(
  yaml: Yaml,
  text: string,
  lines: import('yaml').LineCounter,
): readonly CST.Token[] | undefined {
  const parser = new yaml.Parser(lines.addNewLine)
  lines.addNewLine(0)
  const tokens: CST.Token[] = []
  let symbols = 0
  for (const symbol of new yaml.Lexer().lex(text)) {
    if (++symbols > sourceLimits.symbols) return undefined
    tokens.push(...parser.next(symbol))
  }
  tokens.push(...parser.end())
  return tokens
}

interface TokenLike {
  readonly offset?: number
  readonly value?: unknown
  readonly items?: readonly { readonly key?: unknown; readonly value?: unknown }[]
}

/** The offset at which tokens nest deeper than allowed. */
function nestedTooDeep(tokens: readonly unknown[]): number | undefined {
  const open: { readonly token: TokenLike; readonly depth: number }[] = []
  const push = (token: unknown, depth: number): void => {
    if (typeof token === 'object' && token !== null) open.push({ token, depth })
  }
  for (const token of tokens) push(token, 0)
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    const { token, depth } = entry
    if (depth > sourceLimits.nesting + 1) return token.offset ?? 0
    push(token.value, depth)
    for (const item of token.items ?? []) {
      push(item.key, depth + 1)
      push(item.value, depth + 1)
    }
  }
  return undefined
}

interface Converter {
  readonly yaml: Yaml
  readonly offsets: MemberOffsets
  /** Numbers whose text differs from their value's, by the list or map that holds them. */
  readonly numbers: WeakMap<object, Map<string | number, string>>
  readonly anchors: Map<string, Node>
  aliased: number
  inAlias: boolean
  readonly refuse: Refuse
}

function convert(converter: Converter, node: Node | null, depth: number): JsonValue {
  const { yaml, refuse } = converter
  if (node === null) return null
  const offset = node.range?.[0] ?? 0
  if (converter.inAlias && ++converter.aliased > sourceLimits.aliasedValues) {
    if (converter.aliased === sourceLimits.aliasedValues + 1) {
      refuse(offset, `its aliases stand for more than ${sourceLimits.aliasedValues} values`)
    }
    return null
  }
  if (depth > sourceLimits.nesting) {
    refuse(offset, `is nested deeper than ${sourceLimits.nesting} levels`)
    return null
  }
  if (yaml.isAlias(node)) return convertAlias(converter, node.source, offset, depth)
  // Within an alias everything is seen again: a name that was given away since then keeps its newer meaning.
  if (!converter.inAlias && node.anchor !== undefined) converter.anchors.set(node.anchor, node)
  if (yaml.isMap<Node, Node | null>(node)) return convertMap(converter, node.items, depth)
  if (yaml.isSeq<Node | null>(node)) return convertList(converter, node.items, offset, depth)
  if (yaml.isScalar(node)) return convertScalar(converter, node, offset)
  refuse(offset, 'holds something that is not JSON')
  return null
}

function convertAlias(converter: Converter, name: string, offset: number, depth: number): JsonValue {
  const target = converter.anchors.get(name)
  if (target === undefined) {
    converter.refuse(offset, `the alias *${name} names no anchor before it`)
    return null
  }
  const outer = converter.inAlias
  converter.inAlias = true
  const value = convert(converter, target, depth)
  converter.inAlias = outer
  return value
}

function convertList(
  converter: Converter,
  items: readonly (Node | null)[],
  offset: number,
  depth: number,
): JsonValue {
  const list: JsonValue[] = []
  const members = new Map<string | number, number>()
  converter.offsets.set(list, members)
  for (const [index, item] of items.entries()) {
    members.set(index, item?.range?.[0] ?? offset)
    list.push(convert(converter, item, depth + 1))
  }
  return list
}

function convertMap(
  converter: Converter,
  pairs: readonly Pair<Node, Node | null>[],
  depth: number,
): JsonValue {
  const map: Record<string, JsonValue> = {}
  const members = new Map<string | number, number>()
  const numbers = new Map<string | number, string>()
  converter.offsets.set(map, members)
  converter.numbers.set(map, numbers)
  for (const pair of pairs) {
    const offset = pair.key.range?.[0] ?? 0
    const key = keyText(converter, pair.key, offset)
    if (key === undefined) continue
    if (members.has(key)) {
      converter.refuse(offset, `the key '${key}' is written twice in the same map; keep one`)
      continue
    }
    members.set(key, offset)
    if (converter.yaml.isScalar(pair.value) && typeof pair.value.value === 'number') {
      numbers.set(key, pair.value.source ?? String(pair.value.value))
    }
    map[key] = convert(converter, pair.value, depth + 1)
  }
  return map
}

function keyText(converter: Converter, node: Node, offset: number): string | undefined {
  const value: unknown = converter.yaml.isScalar(node) ? node.value : undefined
  if (typeof value === 'string' && value !== '__proto__' && value !== '<<') return value
  if (typeof value === 'number') return (node as Scalar).source ?? String(value)
  const what =
    value === '<<'
      ? 'the merge key << is not supported'
      : value === '__proto__'
        ? '__proto__ is not allowed'
        : 'it must be text'
  converter.refuse(offset, `this key cannot be read: ${what}`)
  return undefined
}

function convertScalar(converter: Converter, node: Scalar, offset: number): JsonValue {
  const { value } = node
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  converter.refuse(offset, `'${node.source ?? 'this value'}' cannot be kept as JSON`)
  return null
}

function offsetOf(offsets: MemberOffsets, root: JsonValue, path: SourcePath): number | undefined {
  let value = root
  let offset: number | undefined
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return offset
    const member = offsets.get(value)?.get(key)
    if (member === undefined) return offset
    offset = member
    value = (value as Readonly<Record<string | number, JsonValue>>)[key] as JsonValue
  }
  return offset
}
