import { editDistance } from '../../core/index.ts'
import { namedConditions } from '../../definition/index.ts'
import { parseCondition } from './condition.ts'
import type { ConditionMentions } from './condition-mentions.ts'
import { isNamedCondition } from './named-conditions.ts'
import { piecesOf, readReference } from './references.ts'
import type { Reference } from './references.ts'

/** Where a condition stands that decides whether a step starts. */
export type ConditionSite = 'step' | 'connection'

export type StartCondition =
  | {
      readonly ok: true
      /** A name, or CEL with its references turned into CEL. */
      readonly text: string
      /** Undefined for a name. */
      readonly mentions?: ConditionMentions
    }
  /** `problem` continues a sentence that begins with the condition's path. */
  | { readonly ok: false; readonly problem: string }

const longestCondition = 10_000

/** Reads the condition of a step or connection: a name from the table, else CEL in which `${...}` may stand for a value. */
export async function readStartCondition(
  written: string,
  site: ConditionSite,
  stepIds: ReadonlySet<string>,
): Promise<StartCondition> {
  const trimmed = written.trim()
  if (isNamedCondition(trimmed)) return { ok: true, text: trimmed }
  if (trimmed.length > longestCondition)
    return { ok: false, problem: `is longer than ${longestCondition} characters` }
  const meant = misspeltName(trimmed)
  if (meant !== undefined)
    return { ok: false, problem: `is '${trimmed}', which is no known condition. Did you mean '${meant}'?` }
  const expression = withoutReferences(trimmed, stepIds)
  if (!expression.ok) return expression
  const parsed = await parseCondition(expression.text, site === 'connection' ? 'any' : 'declared')
  if (!parsed.ok) return parsed
  return { ok: true, text: expression.text, mentions: parsed.mentions }
}

/** On a connection any other word would be taken for a field of the source's output. */
function misspeltName(text: string): string | undefined {
  if (!/^[\w-]{1,40}$/.test(text)) return undefined
  const word = text.toLowerCase().replaceAll('-', '_')
  const [best] = namedConditions
    .map((name) => ({ name, distance: editDistance(name, word) }))
    .toSorted((left, right) => left.distance - right.distance)
  return best !== undefined && (best.distance <= 2 || word.startsWith('on_')) ? best.name : undefined
}

type Expression =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly problem: string }

/** A reference becomes an access in CEL, never a piece of text: what a value holds cannot become part of the condition. */
function withoutReferences(condition: string, stepIds: ReadonlySet<string>): Expression {
  const pieces = piecesOf(condition)
  if (pieces === undefined) return { ok: false, problem: `holds a \${ that is never closed: ${condition}` }
  let text = ''
  for (const piece of pieces) {
    if ('literal' in piece) {
      text += piece.literal
      continue
    }
    if (endsInQuotes(text)) {
      return {
        ok: false,
        problem: `has \${${piece.between}} within quotes: it stands for the value itself, so take the quotes away`,
      }
    }
    const read = readReference(piece.between, stepIds)
    if (!read.ok) return { ok: false, problem: `holds \${${piece.between}}, which ${read.problem}` }
    text += accessTo(read.reference)
  }
  return { ok: true, text }
}

function accessTo({ step, path }: Reference): string {
  const root = step === undefined ? 'input' : `steps[${JSON.stringify(step)}].output`
  return root + path.map((key) => `[${JSON.stringify(key)}]`).join('')
}

function endsInQuotes(text: string): boolean {
  let quote: string | undefined
  for (let index = 0; index < text.length; index++) {
    const sign = text[index]
    if (quote === undefined) quote = sign === '"' || sign === "'" ? sign : undefined
    else if (sign === '\\') index++
    else if (sign === quote) quote = undefined
  }
  return quote !== undefined
}
