/** One thing that must not leave the machine: where it stands in a text, and the name that is written in its place. */
export interface RedactionRule {
  readonly name: string
  /** Global. What the named group `keep` matched stays in front of the replacement. */
  readonly pattern: RegExp
}

export interface EnvironmentSecret {
  /** Name of the variable. */
  readonly name: string
  readonly value: string
}

/** Values of environment variables with such names are secrets. */
const secretVariable = /KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL/i

export function isSecretVariable(name: string): boolean {
  return secretVariable.test(name)
}

/** Anything shorter would be found in ordinary words. */
const shortestSecret = 6

/** Longest value first, so that a secret which contains another is replaced as a whole. */
export function environmentSecrets(
  environment: Readonly<Record<string, string | undefined>>,
): EnvironmentSecret[] {
  return Object.entries(environment)
    .flatMap(([name, value]) =>
      value !== undefined && isSecretVariable(name) ? [{ name, value: value.trim() }] : [],
    )
    .filter(({ value }) => value.length >= shortestSecret)
    .sort((left, right) => right.value.length - left.value.length)
}

/** How a secret may be spelled in a text: as it is, inside JSON, inside JSON inside JSON, inside a URL. */
export function spellings(value: string): string[] {
  const json = (text: string): string => JSON.stringify(text).slice(1, -1)
  const wellFormed = new TextDecoder().decode(new TextEncoder().encode(value))
  return [...new Set([value, json(value), json(json(value)), encodeURIComponent(wellFormed)])]
}

const secretMember =
  /(?:^|[_.-])(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)$/

/** Whether a string under that name (`password`, `dbPassword`, `api-key`) is a secret whatever it looks like. */
export function isSecretMember(name: string): boolean {
  return (
    secretMemberHint.test(name) &&
    secretMember.test(name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase())
  )
}

/** How all of them end: most names of members are told apart by it. */
const secretMemberHint = /(?:word|passwd|phrase|secret|token|key|credentials?)$/i

/** In a text, `token` and `key` alone are ordinary words (`unexpected token: foo`), so they count only before `=`. */
const secretWord =
  '(?:(?:password|passwd|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|[a-z][_-]?token|credentials?)\\\\*["\']?\\s*[:=]|token=)\\s*'
const unredacted = '(?!\\[redacted)'

/** Secrets that are known by their form alone, in the order in which they are looked for. */
export const commonRules: readonly RedactionRule[] = [
  {
    name: 'private-key',
    pattern: /-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,20}PRIVATE KEY-----|$)/g,
  },
  { name: 'aws-key', pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  { name: 'github-token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})/g },
  { name: 'bearer-token', pattern: /(?<keep>\bBearer\s{1,4})(?!\[redacted)[A-Za-z0-9._~+/-]{6,}=*/gi },
  { name: 'url-password', pattern: /(?<keep>:\/\/[^\s:@/?#]{0,100}:)(?!\[redacted)[^\s@/]{1,200}(?=@)/g },
  // Quoted, with its escapes; quoted inside a quoted text, where a backslash ends it; not quoted.
  {
    name: 'named-value',
    pattern: new RegExp(`(?<keep>${secretWord}")${unredacted}(?:[^"\\\\\\n]|\\\\.){1,500}`, 'gi'),
  },
  {
    name: 'named-value',
    pattern: new RegExp(`(?<keep>${secretWord}')${unredacted}(?:[^'\\\\\\n]|\\\\.){1,500}`, 'gi'),
  },
  {
    name: 'named-value',
    pattern: new RegExp(`(?<keep>${secretWord}\\\\+["'])${unredacted}[^"'\\\\\\n]{1,500}`, 'gi'),
  },
  {
    name: 'named-value',
    pattern: new RegExp(`(?<keep>${secretWord})${unredacted}[^\\s"'\\\\,;&<>{}()[\\]]{3,500}`, 'gi'),
  },
]

/** Where this finds nothing, no common rule does: one search instead of nine in the texts that make up most of a bundle. */
export const commonHint: RegExp =
  /PRIVATE KEY|AKIA|ASIA|gh[pousr]_|github_pat_|bearer|:\/\/|passw|passphrase|secret|key|token|credential/i
