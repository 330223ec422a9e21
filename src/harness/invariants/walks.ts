/** What goes through a list one by one, and has then seen all that it is asked about. */
interface Walk<T> {
  take(item: T): void
}

interface KnownWalk<T, W> {
  readonly items: readonly T[]
  /** How many of them it has taken in. */
  readonly end: number
  readonly walk: W
}

const mostCopies = 16

/** In how many items a walk is copied once: of a long list as often as of a short one. */
function itemsBetweenCopies(length: number): number {
  let items = 16
  while (items * mostCopies < length) items *= 2
  return items
}

/**
 * Walks of one kind through lists that nobody changes. Runs that were forked from one another begin alike: what several
 * begin with is walked once, and each goes on from there with a copy.
 */
export class Walks<T extends object, W extends Walk<T>> {
  readonly #begin: () => W
  readonly #copy: (walk: W) => W
  /** Where walks ended or came by, by the last item that they had taken in. */
  readonly #known = new WeakMap<T, KnownWalk<T, W>>()

  /** @param copy What either takes in from then on, the other must not notice. */
  constructor(begin: () => W, copy: (walk: W) => W) {
    this.#begin = begin
    this.#copy = copy
  }

  /** One that has taken in the items before `end`. It must take in no more: equal questions have one answer. */
  through(items: readonly T[], end = items.length): W {
    const known = this.#longestKnown(items, end)
    if (known?.end === end) return known.walk
    const between = itemsBetweenCopies(end)
    const walk = known === undefined ? this.#begin() : this.#copy(known.walk)
    for (let index = known?.end ?? 0; index < end; index++) {
      const item = items[index] as T
      walk.take(item)
      const isLast = index === end - 1
      if (isLast || index % between === 0) {
        this.#known.set(item, { items, end: index + 1, walk: isLast ? walk : this.#copy(walk) })
      }
    }
    return walk
  }

  /** The longest beginning of a list that is known. */
  #longestKnown(items: readonly T[], end: number): KnownWalk<T, W> | undefined {
    for (let index = end - 1; index >= 0; index--) {
      const known = this.#known.get(items[index] as T)
      if (known?.end === index + 1 && beginAlike(items, known.items, index)) return known
    }
    return undefined
  }
}

/** Whether two lists are the same through an item: runs that went apart can have one in common again. */
function beginAlike(left: readonly object[], right: readonly object[], through: number): boolean {
  if (left === right) return true
  for (let index = through; index >= 0; index--) if (left[index] !== right[index]) return false
  return true
}
