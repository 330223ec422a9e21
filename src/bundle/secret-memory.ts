import { environmentSecrets, isSecretVariable, type EnvironmentSecret } from './redaction-rules.ts'

/**
 * The secrets that an environment has held since the memory was made. A test may set one, and have taken it back by the time its
 * bundle is written.
 */
export interface SecretMemory {
  /** Looks again and answers all so far; the same list for as long as there is nothing new. */
  secrets(): readonly EnvironmentSecret[]
}

export function createSecretMemory(environment: Readonly<Record<string, string | undefined>>): SecretMemory {
  const names = new Map<string, boolean>()
  const last = new Map<string, string | undefined>()
  let known: readonly EnvironmentSecret[] = []
  // Asked for every event of a test: names are judged once, and only values of secrets are read.
  const speaksOfSecret = (name: string): boolean => {
    const judged = names.get(name) ?? isSecretVariable(name)
    names.set(name, judged)
    return judged
  }
  return {
    secrets() {
      const changed = Object.keys(environment).filter(
        (name) => speaksOfSecret(name) && environment[name] !== last.get(name),
      )
      if (changed.length === 0) return known
      for (const name of changed) last.set(name, environment[name])
      const values = new Set(known.map(({ value }) => value))
      const found = environmentSecrets(Object.fromEntries(changed.map((name) => [name, environment[name]])))
      const fresh = found.filter(({ value }) => !values.has(value))
      if (fresh.length > 0) known = [...known, ...fresh]
      return known
    },
  }
}
