const dayMs = 86_400_000
/** Between 0000-03-01 and 1970-01-01. */
const daysToEpoch = 719_468
const daysIn400Years = 146_097

/**
 * The day of an instant as `20260131`, in UTC. Reckoned here, since `Date` reads the machine's clock as well.
 *
 * @param at milliseconds since 1970-01-01 UTC
 */
export function utcDay(at: number): string {
  // Years that begin in March have their leap day at the end, so that the months before it have fixed places.
  const days = Math.floor(at / dayMs) + daysToEpoch
  const era = Math.floor(days / daysIn400Years)
  const dayOfEra = days - era * daysIn400Years
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
  return `${digits(year, 4)}${digits(month, 2)}${digits(day, 2)}`
}

function digits(value: number, length: number): string {
  return String(value).padStart(length, '0')
}
