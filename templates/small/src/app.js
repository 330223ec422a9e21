import { round } from './round.js'

/** Degrees Celsius in Fahrenheit. */
export function toFahrenheit(celsius) {
  return round(celsius * 1.8 + 32, 1)
}

/** Degrees Fahrenheit in Celsius. */
export function toCelsius(fahrenheit) {
  return round((fahrenheit - 32) / 1.8, 1)
}
