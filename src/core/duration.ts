/** `250 ms`, `1.5 s`, `2 min 5 s`, `3 h 20 min`, `4 d 7 h`: a duration as people read it, in its two largest units. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${ms} ms`
  const hundredths = Math.round(ms / 10)
  if (hundredths < 6_000) return `${hundredths / 100} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return inTwo(seconds, 60, 'min', 's')
  const minutes = Math.round(seconds / 60)
  if (minutes < 1_440) return inTwo(minutes, 60, 'h', 'min')
  return inTwo(Math.round(minutes / 60), 24, 'd', 'h')
}

function inTwo(smaller: number, per: number, larger: string, unit: string): string {
  const rest = smaller % per
  const whole = `${Math.floor(smaller / per)} ${larger}`
  return rest === 0 ? whole : `${whole} ${rest} ${unit}`
}
