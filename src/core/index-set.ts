const bits = 5
const width = 1 << bits
const mask = width - 1

/** A leaf is up to 32 members as bits. */
type Leaf = number
/** Which of 32 smaller sets are not empty, and those, in order. */
interface Branch {
  readonly slots: number
  readonly below: readonly Node[]
}
type Node = Leaf | Branch

/**
 * An immutable set of indices from 0 to below `capacity`, in ascending order: a change shares all but O(log32 capacity) nodes
 * with the set before it, and finding the first members does not cost the size of the set.
 */
export class IndexSet implements Iterable<number> {
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
    for (let level = this.#levels; node !== undefined; level--) {
      const bit = bitAt(index, level)
      if (typeof node === 'number') return (node & bit) !== 0
      node = (node.slots & bit) === 0 ? undefined : node.below[placeOf(node.slots, bit)]
    }
    return false
  }

  with(index: number): IndexSet {
    if (this.has(index)) return this
    return new IndexSet(changed(this.#root, this.#levels, index), this.#levels, this.size + 1)
  }

  without(index: number): IndexSet {
    if (!this.has(index)) return this
    return new IndexSet(changed(this.#root, this.#levels, index), this.#levels, this.size - 1)
  }

  /** Asks about members in ascending order until one is wanted; answers whether one was. */
  some(isWanted: (index: number) => boolean): boolean {
    return this.#root !== undefined && someOf(this.#root, this.#levels, 0, isWanted)
  }

  map<T>(of: (index: number) => T): T[] {
    const mapped: T[] = []
    this.some((index) => mapped.push(of(index)) === 0)
    return mapped
  }

  *[Symbol.iterator](): Generator<number> {
    yield* this.map((index) => index)
  }
}

/** The node with one member added, or taken away if it was there; undefined when none is left. */
function changed(node: Node | undefined, level: number, index: number): Node | undefined {
  const bit = bitAt(index, level)
  if (level === 0) {
    const leaf = ((node as Leaf | undefined) ?? 0) ^ bit
    return leaf === 0 ? undefined : leaf
  }
  const { slots, below } = (node as Branch | undefined) ?? { slots: 0, below: [] }
  const place = placeOf(slots, bit)
  if ((slots & bit) === 0) {
    const added = changed(undefined, level - 1, index) as Node
    return { slots: slots | bit, below: below.length === 0 ? [added] : below.toSpliced(place, 0, added) }
  }
  const next = changed(below[place], level - 1, index)
  if (next !== undefined) return { slots, below: below.length === 1 ? [next] : below.with(place, next) }
  return below.length === 1 ? undefined : { slots: slots ^ bit, below: below.toSpliced(place, 1) }
}

function someOf(node: Node, level: number, first: number, isWanted: (index: number) => boolean): boolean {
  let rest = typeof node === 'number' ? node : node.slots
  for (let place = 0; rest !== 0; place++) {
    const slot = 31 - Math.clz32(rest & -rest)
    rest &= rest - 1
    const index = first + (slot << (level * bits))
    if (
      typeof node === 'number'
        ? isWanted(index)
        : someOf(node.below[place] as Node, level - 1, index, isWanted)
    ) {
      return true
    }
  }
  return false
}

function bitAt(index: number, level: number): number {
  return 1 << ((index >>> (level * bits)) & mask)
}

/** How many of the bits below a bit are set. */
function placeOf(slots: number, bit: number): number {
  let count = 0
  for (let rest = slots & (bit - 1); rest !== 0; rest &= rest - 1) count++
  return count
}
