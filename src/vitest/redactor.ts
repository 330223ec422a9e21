import { homedir } from 'node:os'
import { createRedactor } from '../bundle/index.ts'
import type { Redactor } from '../bundle/index.ts'

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
