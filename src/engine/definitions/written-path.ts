import { isJsonObject } from '../../core/index.ts'
import type { JsonValue } from '../../core/index.ts'
import { spelledKey } from './known-keys.ts'
import { valueAt } from './source-tree.ts'
import type { SourcePath, SourceTree } from './source-tree.ts'

/** From a place in agent-workflow form (`['steps', 1, 'dependsOn', 0]`) to where the source has it, however it is spelt there. */
export type WrittenPath = (path: SourcePath) => SourcePath

export interface Spelling {
  /** Other names of a key. */
  readonly aliases?: Readonly<Record<string, readonly string[]>>
  /** Maps within a map whose keys count as its own. */
  readonly inner?: readonly string[]
}

/** A single name in place of a list has no index in the source: the path then ends at its key. */
export function writtenPaths(tree: SourceTree, base: SourcePath, spelling: Spelling = {}): WrittenPath {
  return (path) => {
    let raw: JsonValue | undefined = valueAt(tree.value, base)
    const written: (string | number)[] = [...base]
    for (const name of path) {
      if (typeof raw !== 'object' || raw === null) break
      const keys = keysOf(raw, name, spelling)
      written.push(...keys)
      raw = valueAt(raw, keys)
    }
    return written
  }
}

function keysOf(raw: JsonValue, name: string | number, { aliases = {}, inner = [] }: Spelling): SourcePath {
  const others = Object.hasOwn(aliases, name) ? (aliases[name] as readonly string[]) : []
  for (const candidate of [name, ...others]) {
    const key = spelledKey(raw, candidate)
    if (valueAt(raw, [key]) !== undefined) return [key]
    for (const home of inner) {
      const map = valueAt(raw, [home])
      const innerKey = spelledKey(map, candidate)
      if (isJsonObject(map) && Object.hasOwn(map, innerKey)) return [home, innerKey]
    }
  }
  return [spelledKey(raw, name)]
}
