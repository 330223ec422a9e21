import { homedir } from 'node:os'
import { createRedactor } from '../bundle/index.ts'
import type { Redactor } from '../bundle/index.ts'
import type { FaultlineSettings, RegularExpressionText } from './settings.ts'

/** For what a test leaves: besides `root` and the given folders, the home folder, which has a user's name in it. */
export function testRedactor(
  root: string,
  patterns: readonly RegExp[],
  roots: Readonly<Record<string, string>> = {},
): Redactor {
  return createRedactor({
    environment: process.env,
    patterns,
    roots: { ...roots, '<home>': homedir(), '<root>': root },
  })
}

/** For what is read again on this machine: paths stay as they are. */
export function secretsOnly({ redact }: Pick<FaultlineSettings, 'redact'>): Redactor {
  return createRedactor({ environment: process.env, patterns: regularExpressions(redact) })
}

/** They have crossed the border of a process as texts. */
export function regularExpressions(texts: readonly RegularExpressionText[]): readonly RegExp[] {
  return texts.map(({ source, flags }) => new RegExp(source, flags))
}
