import type { ASTNode, Environment } from '@marcbachmann/cel-js'
import { FaultlineError, messageOf } from '../../core/index.ts'
import { mentionsOf } from './condition-mentions.ts'
import type { ConditionMentions } from './condition-mentions.ts'

/** A CEL expression that has been parsed and type-checked. */
export interface Condition {
  readonly text: string
  readonly mentions: ConditionMentions
  /**
   * @throws Error when it cannot be judged: a key or name that is missing, or a result that is neither true nor false. Never
   * answers false for those. (As in all CEL, `a || b` and `a && b` are decided by one side when that is enough.)
   */
  evaluate(names: Readonly<Record<string, unknown>>): boolean
}

/** The names that a condition may use. */
export const conditionVariables = ['input', 'output', 'scoring', 'steps', 'run'] as const

/**
 * `declared`: only the names above. `any`: other names too, which stand for fields of the source's output and are looked for
 * when the condition is judged.
 */
export type ConditionNames = 'declared' | 'any'

/** @throws FaultlineError `DEFINITION_INVALID` when the text is not CEL or cannot give true or false. */
export async function compileCondition(text: string, names: ConditionNames = 'declared'): Promise<Condition> {
  const parsed = await parseCondition(text, names)
  if (parsed.ok) return parsed.condition
  throw new FaultlineError('DEFINITION_INVALID', `The condition ${parsed.problem}`, {
    details: { condition: text },
  })
}

export type ParsedCondition =
  | { readonly ok: true; readonly condition: Condition; readonly mentions: ConditionMentions }
  /** `problem` continues a sentence that begins with the condition's path. */
  | { readonly ok: false; readonly problem: string }

export async function parseCondition(
  text: string,
  names: ConditionNames = 'declared',
): Promise<ParsedCondition> {
  const cel = await celEnvironment(names)
  try {
    const expression = cel.parse(text)
    const checked = expression.check()
    if (!checked.valid) return { ok: false, problem: flawOf(text, checked.error) }
    if (checked.type !== 'bool' && checked.type !== 'dyn') {
      return {
        ok: false,
        problem: `gives ${checked.type ?? 'nothing'}, where true or false is needed: ${text}`,
      }
    }
    const mentions = mentionsOf(expression.ast)
    return {
      ok: true,
      mentions,
      condition: { text, mentions, evaluate: (names) => evaluate(text, expression, mentions, names) },
    }
  } catch (error) {
    return { ok: false, problem: flawOf(text, error) }
  }
}

function evaluate(
  text: string,
  expression: (context: Record<string, unknown>) => unknown,
  mentions: ConditionMentions,
  names: Readonly<Record<string, unknown>>,
): boolean {
  const context: Record<string, unknown> = {}
  for (const name of mentions.names) if (Object.hasOwn(names, name)) context[name] = dataOnly(names[name])
  let result: unknown
  try {
    result = expression(context)
  } catch (error) {
    const { summary, place } = celFailure(error)
    const inside = place === undefined || place.part === text ? '' : ` in '${place.part}'`
    throw new Error(`The condition '${text}' cannot be judged: ${summary}${inside}.`, { cause: error })
  }
  if (typeof result === 'boolean') return result
  throw new Error(
    `The condition '${text}' cannot be judged: it gives ${typeof result}, where true or false is needed.`,
  )
}

const environments = new Map<ConditionNames, Promise<Environment>>()

function celEnvironment(names: ConditionNames): Promise<Environment> {
  const known = environments.get(names) ?? createEnvironment(names)
  environments.set(names, known)
  return known
}

async function createEnvironment(names: ConditionNames): Promise<Environment> {
  const { Environment } = await import('@marcbachmann/cel-js')
  const created = new Environment({ unlistedVariablesAreDyn: names === 'any' })
  for (const name of conditionVariables) created.registerVariable(name, 'dyn')
  // JSON has one kind of number, which arrives as double, while a literal such as 1 is an int. CEL compares the two when it
  // cannot tell them apart beforehand, but does not calculate with them: `output.count + 1` would fail for want of a decimal
  // point. The type of each result is given, since CEL would take the left operand's and then compare by it.
  for (const [operator, calculate] of arithmetic) {
    created.registerOperator(`double ${operator} int: double`, calculate)
    created.registerOperator(`int ${operator} double: double`, calculate)
  }
  created.registerOperator('double % double: double', (left: number, right: number) => left % right)
  // Serves the other order and `!=` as well.
  created.registerOperator(
    'double == int: bool',
    (left: NumberLike, right: NumberLike) => Number(left) === Number(right),
  )
  return created
}

type NumberLike = number | bigint
type Calculate = (left: NumberLike, right: NumberLike) => number

const arithmetic: readonly (readonly [string, Calculate])[] = [
  ['+', (left, right) => Number(left) + Number(right)],
  ['-', (left, right) => Number(left) - Number(right)],
  ['*', (left, right) => Number(left) * Number(right)],
  ['/', (left, right) => Number(left) / Number(right)],
  ['%', (left, right) => Number(left) % Number(right)],
]

/**
 * Copies plain data for CEL. The evaluator tells maps from other values by their `constructor`, so that data with a key of
 * that name has to come as a Map; and nothing inherited, no getter and no class instance survives the copy.
 */
function dataOnly(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(dataOnly)
  const entries = Object.entries(value).map(([key, member]) => [key, dataOnly(member)] as const)
  return Object.hasOwn(value, 'constructor') ? new Map(entries) : Object.fromEntries(entries)
}

function flawOf(text: string, error: unknown): string {
  const { summary, place } = celFailure(error)
  const where = place === undefined ? '' : ` at character ${place.start + 1}`
  return `is not valid CEL${where}: ${summary} (${text})`
}

interface CelFailure {
  /** The message without the picture of the source below it. */
  readonly summary: string
  readonly place?: { readonly start: number; readonly part: string }
}

function celFailure(error: unknown): CelFailure {
  if (typeof error !== 'object' || error === null || !('summary' in error))
    return { summary: messageOf(error) }
  const { summary, range, node } = error as {
    readonly summary: string
    readonly range?: { readonly start: number }
    readonly node?: Partial<ASTNode>
  }
  if (range === undefined) return { summary }
  const part = node?.input === undefined ? '' : node.input.slice(node.start, node.end)
  return { summary, place: { start: range.start, part } }
}
