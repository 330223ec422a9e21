/** Rounds to a number of decimals. */
export function round(value, decimals) {
  const factor = 10 ** decimals
  return Math.round(value * factor) / factor
}
