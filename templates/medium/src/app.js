import { subtotal, total } from './cart.js'
import { formatCents, taxOn } from './money.js'

/** The receipt for a cart, ready to print. */
export function receipt(lines, taxPercent) {
  const rows = lines.map((line) => `${line.count} x ${line.name}  ${formatCents(line.cents)}`)
  const tax = taxOn(subtotal(lines), taxPercent)
  return [...rows, `tax  ${formatCents(tax)}`, `total  ${formatCents(total(lines, taxPercent))}`].join('\n')
}
