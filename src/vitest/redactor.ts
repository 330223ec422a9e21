import { homedir } from 'node:os'
import { createRedactor, createSecretMemory } from '../bundle/index.ts'
import type { Redactor } from '../bundle/index.ts'
import { fingerprintOf, ownKey } from './secret-fingerprints.ts'
import type { NotedSecret } from './secret-fingerprints.ts'
import type { FaultlineSettings, RegularExpressionText } from './settings.ts'

/** Of this process, from the first of its tests on. */
const memory = createSecretMemory(process.env)

/** For what a test leaves: besides `root` and the given folders, the home folder, which has a user's name in it. */
export function testRedactor(
  root: string,
  patterns: readonly RegExp[],
  roots: Readonly<Record<string, string>> = {},
): Redactor {
  return createRedactor({
    environment: {},
    secrets: memory.secrets(),
    patterns,
    roots: { ...roots, '<home>': homedir(), '<root>': root },
  })
}

/** What goes into a journal, which is read again on this machine: paths stay as they are. */
export interface JournalRedactor extends Pick<Redactor, 'text' | 'json' | 'bytes'> {
  /** Learns the secrets that have come into the environment since, and answers all. */
  look(): readonly NotedSecret[]
}

export function secretsOnly(
  { redact }: Pick<FaultlineSettings, 'redact'>,
  key: string = ownKey,
): JournalRedactor {
  const patterns = regularExpressions(redact)
  let secrets = memory.secrets()
  let redactor = createRedactor({ environment: {}, secrets, patterns })
  const noted = (): readonly NotedSecret[] =>
    secrets.map(({ name, value }) => ({ name, fingerprint: fingerprintOf(value, key) }))
  let notes = noted()
  return {
    text: (text) => redactor.text(text),
    json: (value) => redactor.json(value),
    bytes: (data) => redactor.bytes(data),
    look() {
      const now = memory.secrets()
      if (now !== secrets) {
        secrets = now
        redactor = createRedactor({ environment: {}, secrets, patterns })
        notes = noted()
      }
      return notes
    },
  }
}

/** They have crossed the border of a process as texts. */
export function regularExpressions(texts: readonly RegularExpressionText[]): readonly RegExp[] {
  return texts.map(({ source, flags }) => new RegExp(source, flags))
}
