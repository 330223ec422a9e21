export type Environment = Readonly<Record<string, string | undefined>>

/** Puts the values of variables in place of `${env.NAME}`. */
export function filledFrom(
  environment: Environment,
  text: string,
  { found, missing }: { readonly found: (value: string) => void; readonly missing: (name: string) => Error },
): string {
  return text.replaceAll(/\$\{env\.([A-Za-z_][A-Za-z0-9_]*)\}/g, (_, name: string) => {
    const value = environment[name]
    if (value === undefined) throw missing(name)
    found(value)
    return value
  })
}
