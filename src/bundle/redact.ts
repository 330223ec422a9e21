import {
  commonHint,
  commonRules,
  environmentSecrets,
  isSecretMember,
  spellings,
  type EnvironmentSecret,
  type RedactionRule,
} from './redaction-rules.ts'
import { rootRewriter } from './root-rewriter.ts'
import { replaceBytes, utf8Text } from './bytes.ts'

export interface RedactorOptions {
  /** The process's environment: values of variables whose names speak of a secret are replaced wherever they stand. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Values that it had before, and the like. Default: none. */
  readonly secrets?: readonly EnvironmentSecret[]
  /** What else is a secret. Default: nothing. */
  readonly patterns?: readonly RegExp[]
  /** Absolute folders by the name that replaces them, such as `{ '<project>': '/tmp/project-1' }`. Default: none. */
  readonly roots?: Readonly<Record<string, string>>
}

/**
 * Takes secrets and absolute paths out of whatever goes into a bundle. A secret becomes `[redacted:<rule>]`, with the
 * name of the environment variable or of the form that gave it away.
 *
 * Works on strings before they are put into JSON, since escaping would hide them. Redacting twice changes nothing more.
 */
export interface Redactor {
  text(text: string): string
  /** Every string, and every key, of plain data; strings under a name like `password` are replaced whole. */
  json<T>(value: T): T
  /** UTF-8 text like `text`; in other bytes only the values of the environment are found. */
  bytes(data: Uint8Array): Uint8Array
  /** A relative path; the result is a file name on every platform that takes brackets. */
  path(path: string): string
  /** How often each rule has replaced something since the redactor was made. */
  counts(): Readonly<Record<string, number>>
}

const longestRemembered = 200
const mostRemembered = 10_000

export function createRedactor(options: RedactorOptions): Redactor {
  // Longest first: one that contains another is replaced as a whole.
  const secrets = [...environmentSecrets(options.environment), ...(options.secrets ?? [])].sort(
    (left, right) => right.value.length - left.value.length,
  )
  const userRules: RedactionRule[] = (options.patterns ?? []).map((pattern, index) => ({
    name: `pattern-${index + 1}`,
    pattern: new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, '')}g`),
  }))
  const rules = [...commonRules, ...userRules]
  const nameOfSpelling = new Map(
    secrets.flatMap(({ name, value }) => spellings(value).map((spelling) => [spelling, name] as const)),
  )
  const anySecret = alternation([...nameOfSpelling.keys()])
  const numbers = new Map(
    [...nameOfSpelling].flatMap(([spelling, name]) =>
      String(Number(spelling)) === spelling ? [[Number(spelling), name] as const] : [],
    ),
  )
  const withoutRoots = rootRewriter(options.roots ?? {})
  const counts = new Map<string, number>()

  const replacement = (rule: string): string => {
    counts.set(rule, (counts.get(rule) ?? 0) + 1)
    return `[redacted:${rule}]`
  }

  const searched = (original: string): string => {
    let redacted = original
    if (anySecret !== undefined) {
      redacted = redacted.replace(anySecret, (found) =>
        replacement(nameOfSpelling.get(found) ?? 'environment'),
      )
    }
    for (const { name, pattern } of commonHint.test(redacted) ? rules : userRules) {
      redacted = redacted.replace(pattern, (found, ...rest: unknown[]) => {
        if (found === '') return found
        const groups = rest.at(-1) as { keep?: string } | string
        const keep = typeof groups === 'object' ? (groups.keep ?? '') : ''
        return keep + replacement(name)
      })
    }
    return withoutRoots(redacted)
  }

  // Member names, statuses and ids return thousands of times in the events and snapshots of one run.
  const clean = new Set<string>()
  const text = (original: string): string => {
    if (clean.has(original)) return original
    const redacted = searched(original)
    if (redacted === original && original.length <= longestRemembered && clean.size < mostRemembered) {
      clean.add(original)
    }
    return redacted
  }

  const secretMembers = new Map<string, boolean>()
  const isSecret = (member: string): boolean => {
    const known = secretMembers.get(member)
    if (known !== undefined) return known
    const secret = isSecretMember(member)
    if (secretMembers.size < mostRemembered) secretMembers.set(member, secret)
    return secret
  }

  /** Answers the value itself where nothing in it is a secret, which is most of what is recorded and costs no copy. */
  const json = (value: unknown, member: string): unknown => {
    if (typeof value === 'string') {
      const redacted = text(value)
      return redacted === value && value !== '' && isSecret(member) ? replacement('named-value') : redacted
    }
    if (typeof value === 'number') {
      const rule = numbers.get(value)
      return rule === undefined ? value : replacement(rule)
    }
    if (value === null || typeof value !== 'object') return value
    return Array.isArray(value) ? list(value, member) : object(value as Record<string, unknown>)
  }

  const list = (values: readonly unknown[], member: string): readonly unknown[] => {
    let copy: unknown[] | undefined
    for (let index = 0; index < values.length; index++) {
      const redacted = json(values[index], member)
      if (redacted !== values[index]) (copy ??= values.slice())[index] = redacted
    }
    return copy ?? values
  }

  const object = (members: Record<string, unknown>): unknown => {
    const keys = Object.keys(members)
    let copy: [string, unknown][] | undefined
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] as string
      const name = text(key)
      const value = json(members[key], key)
      if (copy === undefined && (name !== key || value !== members[key]))
        copy = keys.slice(0, index).map((earlier) => [earlier, members[earlier]])
      copy?.push([name, value])
    }
    return copy === undefined ? members : Object.fromEntries(copy)
  }

  return {
    text,
    json: <T>(value: T): T => json(value, '') as T,
    bytes: (data) => {
      const decoded = utf8Text(data)
      if (decoded !== undefined) {
        const redacted = text(decoded)
        return redacted === decoded ? data : new TextEncoder().encode(redacted)
      }
      return secrets.reduce(
        (bytes, { name, value }) => replaceBytes(bytes, value, () => replacement(name)),
        data,
      )
    },
    path: (path) => text(path).replaceAll('[redacted:', '[redacted-'),
    counts: () => Object.fromEntries([...counts].sort(([left], [right]) => (left < right ? -1 : 1))),
  }
}

function alternation(texts: readonly string[]): RegExp | undefined {
  if (texts.length === 0) return undefined
  const longestFirst = [...texts].sort((left, right) => right.length - left.length)
  return new RegExp(longestFirst.map((each) => each.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'g')
}
