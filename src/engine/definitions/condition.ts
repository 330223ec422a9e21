/** A CEL expression that has been parsed and checked. */
export interface Condition {
  readonly text: string
  /** @throws an error that names the key for a missing one, and for a result that is not a boolean: never a silent false. */
  evaluate(names: Readonly<Record<string, unknown>>): boolean
}

/** What a condition may speak of. */
const conditionNames = ['input', 'output', 'scoring', 'steps', 'run'] as const

const compiled = new Map<string, Condition>()

/** @throws an error with the place in the expression for one that cannot be parsed or does not type-check. */
export async function compileCondition(text: string): Promise<Condition> {
  const known = compiled.get(text)
  if (known !== undefined) return known
  const { Environment } = await import('@marcbachmann/cel-js')
  const environment = new Environment()
  for (const name of conditionNames) environment.registerVariable(name, 'dyn')
  const evaluate = environment.parse(text)
  const checked = evaluate.check()
  if (!checked.valid) throw checked.error ?? new Error('it does not type-check')
  if (checked.type !== 'bool' && checked.type !== 'dyn') throw new Error(`its result is a ${checked.type}, not a bool`)
  const condition: Condition = {
    text,
    evaluate(names) {
      const result: unknown = evaluate({ ...names })
      if (typeof result === 'boolean') return result
      throw new Error(`the result of '${text}' is not a boolean`)
    },
  }
  if (compiled.size >= 256) compiled.clear()
  compiled.set(text, condition)
  return condition
}
