/** Milliseconds since some instant in the past; cheap to ask. */
export function monotonicMs(): number {
  return performance.now()
}

/** Milliseconds of processor time that this process has used: says what work costs, however busy the machine is. */
export function cpuTimeMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
