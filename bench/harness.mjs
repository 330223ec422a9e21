/**
 * The one way in which figures are measured: the subject and a frozen reference take turns in the same process, so that
 * whatever slows the machine slows both; a figure is the median of the ratios of all rounds.
 */
export async function measureRatio({
  subject,
  reference,
  rounds = 11,
  subjectRuns = 200,
  referenceRuns = 4_000,
}) {
  // Until the compiler has settled: a suite or a sweep runs thousands of workflows in one process.
  await repeat(subject, subjectRuns * 6)
  await repeat(reference, referenceRuns * 6)
  const ratios = []
  for (let round = 0; round < rounds; round++) {
    const referenceMs = (await timed(() => repeat(reference, referenceRuns))) / referenceRuns
    const subjectMs = (await timed(() => repeat(subject, subjectRuns))) / subjectRuns
    ratios.push(subjectMs / referenceMs)
  }
  return { value: median(ratios), runs: rounds }
}

async function repeat(work, times) {
  for (let count = 0; count < times; count++) await work()
}

async function timed(work) {
  const start = performance.now()
  await work()
  return performance.now() - start
}

export function median(values) {
  const sorted = [...values].sort((left, right) => left - right)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
