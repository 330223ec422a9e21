import { appendFileSync } from 'node:fs'

/** Notes the call outside the project, where no death can take it back, and makes its files of those that it requires. */
async function writer({ step, visit, attempt, artifacts, requires, creates }) {
  const { DEATHS_CALLS: calls, DEATHS_LIFE: life } = process.env
  const execution = { step, visit, attempt, incarnation: Number(life) }
  if (calls !== undefined) appendFileSync(calls, `${JSON.stringify(execution)}\n`)
  const parts = []
  for (const path of requires) parts.push(await artifacts.readText(path))
  for (const path of creates) await artifacts.write(path, `${step}: ${parts.join('')}\n`)
  return { step, parts: parts.length }
}

export const agents = { writer }
