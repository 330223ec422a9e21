/** The known name nearest to a mistyped one, or undefined when none is near enough to be meant. */
export function nearest(typed: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  // A word of which nothing is left is another word.
  let bestDistance = Math.min(Math.max(2, Math.floor(typed.length / 3)), typed.length - 1) + 1
  for (const candidate of known) {
    const distance = editDistance(typed.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** `; did you mean 'x'?` or a list of the known names: the tail of a message about a mistyped one. */
export function suggestion(typed: string, known: Iterable<string>): string {
  const names = [...known]
  const match = nearest(typed, names)
  if (match !== undefined) return `Did you mean '${match}'?`
  if (names.length === 0) return 'None are known.'
  const shown = names.slice(0, 12).map((name) => `'${name}'`)
  return `Known: ${shown.join(', ')}${names.length > shown.length ? ` and ${names.length - shown.length} more` : ''}.`
}

/** How many edits apart two words are. Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours. */
export function editDistance(left: string, right: string): number {
  const rows: number[][] = [Array.from({ length: right.length + 1 }, (_, column) => column)]
  for (let row = 1; row <= left.length; row++) {
    const current = [row]
    const above = rows[row - 1] as number[]
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1]
      let cost = Math.min(
        (above[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (above[column - 1] as number) + (same ? 0 : 1),
      )
      if (
        row > 1 &&
        column > 1 &&
        left[row - 1] === right[column - 2] &&
        left[row - 2] === right[column - 1]
      ) {
        cost = Math.min(cost, ((rows[row - 2] as number[])[column - 2] as number) + 1)
      }
      current.push(cost)
    }
    rows.push(current)
  }
  return (rows[left.length] as number[])[right.length] as number
}
