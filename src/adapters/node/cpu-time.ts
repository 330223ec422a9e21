/** Milliseconds of processor time that this process has used: says what work costs, however busy the machine is. */
export function cpuTimeMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
