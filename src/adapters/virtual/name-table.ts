/** What names lead to, as a value: whoever changes one has another one, so that inodes and disks may share it. */
export class NameTable<T> {
  /** In the order in which folders are listed. */
  readonly names: readonly string[]
  /** In the order of the names. */
  readonly targets: readonly T[]

  constructor(names: readonly string[] = [], targets: readonly T[] = []) {
    this.names = names
    this.targets = targets
  }

  get size(): number {
    return this.names.length
  }

  has(name: string): boolean {
    return this.names[this.#place(name)] === name
  }

  get(name: string): T | undefined {
    const place = this.#place(name)
    return this.names[place] === name ? this.targets[place] : undefined
  }

  with(name: string, target: T): NameTable<T> {
    const place = this.#place(name)
    if (this.names[place] === name) return new NameTable(this.names, this.targets.with(place, target))
    return new NameTable(this.names.toSpliced(place, 0, name), this.targets.toSpliced(place, 0, target))
  }

  without(name: string): NameTable<T> {
    const place = this.#place(name)
    if (this.names[place] !== name) return this
    return new NameTable(this.names.toSpliced(place, 1), this.targets.toSpliced(place, 1))
  }

  /** Where a name is, or would be. */
  #place(name: string): number {
    const { names } = this
    let low = 0
    let high = names.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((names[middle] as string) < name) low = middle + 1
      else high = middle
    }
    return low
  }
}
