import type { ASTNode } from '@marcbachmann/cel-js'

/** What a condition speaks of, as far as its text alone tells. */
export interface ConditionMentions {
  /** Every free-standing name. */
  readonly names: ReadonlySet<string>
  /** First keys below `steps`: `steps.build`, `steps['build']`. */
  readonly steps: ReadonlySet<string>
  /** Whether `steps` also stands in another way, so that any step may be meant. */
  readonly anyStep: boolean
  /** First keys below `scoring`. */
  readonly scoring: ReadonlySet<string>
}

export function mentionsOf(root: ASTNode): ConditionMentions {
  const names = new Set<string>()
  const keys = { steps: new Set<string>(), scoring: new Set<string>() }
  let otherwise = 0
  const open: unknown[] = [root]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (Array.isArray(node)) open.push(...(node as unknown[]))
    if (!isNode(node)) continue
    if (node.op === 'id') names.add(node.args)
    if (node.op === 'id' && node.args === 'steps') otherwise++
    const selected = selectedKey(node)
    if (selected !== undefined) keys[selected.from].add(selected.key)
    // The name itself is met below it.
    if (selected?.from === 'steps') otherwise--
    open.push(node.args)
  }
  return { names, ...keys, anyStep: otherwise > 0 }
}

function selectedKey(
  node: ASTNode,
): { readonly from: 'steps' | 'scoring'; readonly key: string } | undefined {
  if (node.op !== '.' && node.op !== '[]') return undefined
  const [receiver, selector] = node.args
  if (receiver.op !== 'id' || (receiver.args !== 'steps' && receiver.args !== 'scoring')) return undefined
  const key = typeof selector === 'string' ? selector : selector.op === 'value' ? selector.args : undefined
  return typeof key === 'string' ? { from: receiver.args, key } : undefined
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value
}
