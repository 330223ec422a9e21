/** `2026-01-01 00:00:00 UTC`: the same on every machine. */
export function instant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
