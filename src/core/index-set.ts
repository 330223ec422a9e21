const bits = 5
const width = 1 << bits
const mask = width - 1

/**
 * A leaf is 32 members as bits; a branch holds 32 smaller sets, undefined where empty. Numbers and arrays instead of classes:
 * a set of a few members is then one small copy.
 */
type Node = number | readonly (Node | undefined)[]

/**
 * An immutable set of indices from 0 to below `capacity`, in ascending order: a change shares all but O(log32 capacity) nodes
 * with the set before it, and finding the first members does not cost the size of the set.
 */
export class IndexSet {
  readonly size: number
  readonly #root: Node | undefined
  readonly #levels: number

  private constructor(root: Node | undefined, levels: number, size: number) {
    this.#root = root
    this.#levels = levels
    this.size = size
  }

  static of(capacity: number, members: Iterable<number> = []): IndexSet {
    let levels = 0
    for (let room = width; room < capacity; room *= width) levels++
    let set = new IndexSet(undefined, levels, 0)
    for (const member of members) set = set.with(member)
    return set
  }

  has(index: number): boolean {
    let node = this.#root
    for (let level = this.#levels; level > 0; level--) {
      if (node === undefined) return false
      node = (node as readonly (Node | undefined)[])[slotAt(index, level)]
    }
    return (((node as number | undefined) ?? 0) & bitOf(index)) !== 0
  }

  with(index: number): IndexSet {
    if (this.has(index)) return this
    return new IndexSet(changed(this.#root, this.#levels, index), this.#levels, this.size + 1)
  }

  without(index: number): IndexSet {
    if (!this.has(index)) return this
    return new IndexSet(changed(this.#root, this.#levels, index), this.#levels, this.size - 1)
  }

  *[Symbol.iterator](): Generator<number> {
    if (this.#root !== undefined) yield* members(this.#root, this.#levels, 0)
  }
}

/** The node with one member added or taken away; undefined when none is left. */
function changed(node: Node | undefined, level: number, index: number): Node | undefined {
  if (level === 0) {
    const leaf = ((node as number | undefined) ?? 0) ^ bitOf(index)
    return leaf === 0 ? undefined : leaf
  }
  const branch = node === undefined ? Array.from<Node | undefined>({ length: width }) : [...(node as Node[])]
  const slot = slotAt(index, level)
  branch[slot] = changed(branch[slot], level - 1, index)
  return branch.some((below) => below !== undefined) ? branch : undefined
}

function* members(node: Node, level: number, first: number): Generator<number> {
  if (level === 0) {
    for (let bit = 0; bit < width; bit++) if (((node as number) & (1 << bit)) !== 0) yield first + bit
    return
  }
  for (const [slot, below] of (node as readonly (Node | undefined)[]).entries()) {
    if (below !== undefined) yield* members(below, level - 1, first + (slot << (level * bits)))
  }
}

function slotAt(index: number, level: number): number {
  return (index >>> (level * bits)) & mask
}

function bitOf(index: number): number {
  return 1 << (index & mask)
}
