const bits = 5
const width = 1 << bits
const mask = width - 1

type Node = readonly unknown[]

/**
 * An immutable vector of fixed size: `set` answers a new vector that shares all but O(log32 n) nodes with the old one, so
 * that keeping or forking any earlier value costs nothing.
 */
export interface PersistentVector<T> {
  readonly size: number
  get(index: number): T
  set(index: number, value: T): PersistentVector<T>
  [Symbol.iterator](): Iterator<T>
}

export function persistentVector<T>(values: readonly T[]): PersistentVector<T> {
  let level: Node = values
  let depth = 0
  while (level.length > width) {
    const parents: Node[] = []
    for (let start = 0; start < level.length; start += width) parents.push(level.slice(start, start + width))
    level = parents
    depth++
  }
  return new TrieVector<T>(depth === 0 ? level.slice() : level, depth * bits, values.length)
}

class TrieVector<T> implements PersistentVector<T> {
  readonly size: number
  readonly #root: Node
  readonly #shift: number

  constructor(root: Node, shift: number, size: number) {
    this.#root = root
    this.#shift = shift
    this.size = size
  }

  get(index: number): T {
    let node: unknown = this.#root
    for (let level = this.#shift; level >= 0; level -= bits) node = (node as Node)[(index >>> level) & mask]
    return node as T
  }

  set(index: number, value: T): PersistentVector<T> {
    return new TrieVector<T>(replaced(this.#root, this.#shift, index, value), this.#shift, this.size)
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let index = 0; index < this.size; index++) yield this.get(index)
  }
}

function replaced(node: Node, level: number, index: number, value: unknown): Node {
  const copy = node.slice()
  const slot = (index >>> level) & mask
  copy[slot] = level === 0 ? value : replaced(node[slot] as Node, level - bits, index, value)
  return copy
}
