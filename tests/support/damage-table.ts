import type { Damage } from './damage.ts'

/** What became of one damage in one column of the table. */
export interface DamageOutcome extends Pick<Damage, 'kind' | 'place' | 'part'> {
  readonly file: string
  readonly column: string
  readonly outcome: string
}

interface Row {
  readonly file: string
  readonly kinds: readonly string[]
  readonly places: readonly string[]
  readonly parts: readonly string[]
  /** One cell for each column. */
  readonly cells: readonly string[]
}

/** A table with a row for all damages that come to the same, as Prettier lays it out. */
export function damageTable(outcomes: readonly DamageOutcome[]): string {
  const columns = [...new Set(outcomes.map(({ column }) => column))]
  const rows = groupBy(outcomes, ({ file, kind, place, part }) => [file, kind, place, part].join('|')).map(
    (same): Row => {
      const { file, kind, place, part } = same[0] as DamageOutcome
      const cells = columns.map((column) => {
        const met = new Set(same.filter((one) => one.column === column).map(({ outcome }) => outcome))
        return met.size === 0 ? '-' : [...met].sort().join('; or ')
      })
      return { file, kinds: [kind], places: [place], parts: [part], cells }
    },
  )
  const partsOf = (row: Row): ReadonlySet<string> =>
    new Set(
      outcomes
        .filter(({ file, kind, place }) => file === row.file && kind !== 'cut' && row.places.includes(place))
        .map(({ part }) => part),
    )
  const merged = merge(merge(merge(rows, 'parts'), 'places'), 'kinds')
  const head = ['file', 'damage', 'to', ...columns]
  return layOut([
    head,
    ...merged.map((row) => [row.file, row.kinds.join(', '), shownPart(row, partsOf(row)), ...row.cells]),
  ])
}

/** Makes one row of those that differ in one member only. */
function merge(rows: readonly Row[], member: 'kinds' | 'places' | 'parts'): readonly Row[] {
  const alike = groupBy(rows, (row) => JSON.stringify({ ...row, [member]: [] }))
  return alike.map((same) => ({
    ...(same[0] as Row),
    [member]: [...new Set(same.flatMap((row) => row[member]))],
  }))
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return [...groups.values()]
}

function shownPart({ places, parts }: Row, all: ReadonlySet<string>): string {
  const place = places.join(', ')
  if ([...all].every((part) => parts.includes(part))) return place === '' ? 'any byte' : place
  return [place, parts.join(', ')].filter((text) => text !== '').join(': ')
}

function layOut(table: readonly (readonly string[])[]): string {
  const widths = (table[0] as readonly string[]).map((_, column) =>
    Math.max(...table.map((row) => (row[column] as string).length)),
  )
  const line = (cells: readonly string[], fill = ' '): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] as number, fill)).join(' | ')} |\n`
  const [head, ...rows] = table as readonly [readonly string[], ...(readonly string[])[]]
  const rule = line(
    head.map(() => ''),
    '-',
  )
  return line(head) + rule + rows.map((row) => line(row)).join('')
}
