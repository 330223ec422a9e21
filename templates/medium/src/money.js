/** Whole cents as an amount: 1250 is '12.50'. */
export function formatCents(cents) {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
}

/** The tax on an amount in cents, rounded to whole cents. */
export function taxOn(cents, percent) {
  return Math.round((cents * percent) / 100)
}
