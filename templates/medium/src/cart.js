import { taxOn } from './money.js'

/** The sum of all lines before tax, in cents. */
export function subtotal(lines) {
  return lines.reduce((sum, line) => sum + line.cents * line.count, 0)
}

/** The sum of all lines with tax, in cents. */
export function total(lines, taxPercent) {
  const sum = subtotal(lines)
  return sum + taxOn(sum, taxPercent)
}
