import { ambientNames } from './ambient-names.ts'
import { parseModule } from './module-syntax.ts'

const waiting = new Set([
  'setTimeout',
  'setInterval',
  'globalThis',
  'global',
  'AbortSignal.timeout',
  'Atomics.wait',
])
const timers = /^(?:node:)?timers(?:\/promises)?$/

/** Where a test could wait for time to pass, as `line name`: on real time nothing is synchronised. */
export function sleeps(file: string, source: string): string[] {
  const syntax = parseModule(file, source)
  const ambient = ambientNames(syntax).filter(({ name }) => waiting.has(name))
  const imported = syntax.specifiers.filter(({ text = '' }) => timers.test(text))
  return [...ambient, ...imported.map(({ text, line }) => ({ name: String(text), line }))].map(
    ({ name, line }) => `${line} ${name}`,
  )
}
