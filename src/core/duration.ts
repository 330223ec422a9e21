/** `1.5 s`, `250 ms`, `2 min 5 s`: a duration as people read it. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${ms} ms`
  if (ms < 60_000) return `${trim(ms / 1_000)} s`
  const minutes = Math.floor(ms / 60_000)
  const seconds = Math.round((ms % 60_000) / 1_000)
  return seconds === 0 ? `${minutes} min` : `${minutes} min ${seconds} s`
}

function trim(value: number): string {
  return String(Math.round(value * 100) / 100)
}
