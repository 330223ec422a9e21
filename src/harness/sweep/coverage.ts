import { faultWords } from './report.ts'
import type { FamilyCoverage, FaultFamily, FaultSequence, MatrixCell, MatrixRow } from './report.ts'

/** Keeps count of what a sweep has tried, point by point. */
export class Coverage {
  readonly #families = new Map<
    FaultFamily,
    { points: number; counted: number; scenarios: number; deduped: number }
  >()
  readonly #rows = new Map<string, { family: FaultFamily; at: string; cells: Map<string, MatrixCell> }>()

  /** @param counted the same number of points, counted by those who serve them. */
  begin(family: FaultFamily, points: number, counted: number): void {
    this.#families.set(family, { points, counted, scenarios: 0, deduped: 0 })
  }

  /** Notes a scenario under its first fault: what follows that one strikes in another life. */
  tried(faults: FaultSequence, cell: MatrixCell): void {
    const [first] = faults
    if (first === undefined) return
    const { family, at } = first
    const count = this.#families.get(family)
    if (count !== undefined) count[cell === 'deduped' ? 'deduped' : 'scenarios']++
    const key = `${family} ${at}`
    // Where several strike, a point is tried by the first alone.
    if (!this.#rows.has(key) && faults.length > 1) return
    const row = this.#rows.get(key) ?? { family, at, cells: new Map<string, MatrixCell>() }
    this.#rows.set(key, row)
    const words = faultWords(first)
    if (row.cells.get(words) !== 'found' && (faults.length === 1 || cell === 'found'))
      row.cells.set(words, cell)
  }

  get scenarios(): number {
    return [...this.#families.values()].reduce((sum, { scenarios }) => sum + scenarios, 0)
  }

  get families(): Readonly<Partial<Record<FaultFamily, FamilyCoverage>>> {
    const rows = this.matrix
    return Object.fromEntries(
      [...this.#families].map(([family, count]) => {
        const hit = rows.filter((row) => row.family === family).length
        return [family, { hit, ...count }]
      }),
    )
  }

  get matrix(): readonly MatrixRow[] {
    return [...this.#rows.values()].map(({ family, at, cells }) => ({
      family,
      at,
      cells: Object.fromEntries(cells),
    }))
  }
}
