import { editDistance, isJsonObject } from '../../core/index.ts'
import type { JsonObject, JsonValue } from '../../core/index.ts'
import type { ProblemList } from './problems.ts'
import type { SourcePath } from './source-tree.ts'

/** The keys that mean something at one place of a definition, in camelCase. */
export interface KeyTable {
  readonly keys: readonly string[]
  /** Keys that mean something elsewhere: written here they would be lost without a word. */
  readonly elsewhere?: Readonly<Record<string, string>>
  /** Keys for which nothing (`requires:` with nothing behind it) means an empty list and not an absent key. */
  readonly lists?: readonly string[]
  /** What becomes of other keys: kept unless they look mistyped (default), kept whatever they are, or refused. */
  readonly others?: 'free' | 'refused'
  /** Spellings of one setting: only one of each group may be given. */
  readonly exclusive?: readonly (readonly string[])[]
}

const retryDelays = ['retryDelay', 'retryDelayMs'] as const
const timeouts = ['timeout', 'timeoutMs'] as const
const warnings = ['warnAfter', 'warnAfterMs'] as const
const stepDurations = [timeouts, retryDelays, ['maxDuration', 'maxDurationMs'], warnings] as const
const settingsDurations = [
  timeouts,
  ['stepTimeout', 'stepTimeoutMs'],
  retryDelays,
  warnings,
  ['cancelGrace', 'cancelGraceMs'],
] as const
const expiry = ['expiresAfter', 'expiresAfterMs'] as const

const settingsKeys = [
  'maxConcurrentSteps',
  'retries',
  'retryJitter',
  'onStepFailure',
  'rollback',
  'stages',
  'timeoutMultiplier',
  ...settingsDurations.flat(),
]

const workflowKeys = ['id', 'name', 'version', 'description', 'settings', 'inputSchema']
const execution = [
  'retries',
  'retryJitter',
  'continueOnError',
  'inputSchema',
  'outputSchema',
  ...stepDurations.flat(),
]
const stepKeys = [
  'id',
  'name',
  'agent',
  'action',
  'requires',
  'creates',
  'parameters',
  'condition',
  'join',
  'scoring',
  'gate',
  'milestone',
  'stage',
  'undo',
  ...execution,
]
const elsewhereInStep = {
  onPass: 'gate',
  onFail: 'gate',
  maxLoops: 'gate',
  expiresAfter: 'gate',
  expiresAfterMs: 'gate',
  thresholds: 'scoring',
}
const elsewhereInWorkflow = Object.fromEntries(settingsKeys.map((key) => [key, 'settings']))
const serviceIsAgent = ['agent', 'service'] as const

export const keyTables = {
  workflow: { keys: [...workflowKeys, 'steps'], elsewhere: elsewhereInWorkflow },
  settings: { keys: settingsKeys, exclusive: settingsDurations },
  stage: { keys: [...timeouts, ...warnings], others: 'refused', exclusive: [timeouts, warnings] },
  step: {
    keys: [...stepKeys, 'next', 'dependsOn', 'parallel'],
    elsewhere: elsewhereInStep,
    lists: ['requires', 'creates', 'next', 'dependsOn'],
    exclusive: stepDurations,
  },
  gate: { keys: ['condition', 'human', ...expiry, 'onPass', 'onFail', 'maxLoops'], exclusive: [expiry] },
  undo: {
    keys: ['agent', 'action', 'parameters', ...timeouts],
    others: 'refused',
    exclusive: [timeouts],
  },
  scoring: { keys: ['enabled', 'thresholds'] },

  graph: {
    keys: [...workflowKeys, 'nodes', 'connections', 'edges'],
    elsewhere: elsewhereInWorkflow,
    exclusive: [['connections', 'edges']],
  },
  node: {
    keys: [...stepKeys, 'type', 'title', 'label', 'service', 'config'],
    elsewhere: elsewhereInStep,
    lists: ['requires', 'creates'],
    exclusive: [...stepDurations, ['title', 'label', 'name'], serviceIsAgent],
  },
  nodeConfig: {
    keys: ['agent', 'service', 'action', 'parameters', ...execution],
    others: 'free',
    exclusive: [...stepDurations, serviceIsAgent],
  },
  connection: { keys: ['source', 'target', 'condition'] },

  pipelines: { keys: ['services', 'workflows'] },
  pipeline: {
    keys: ['name', 'version', 'description', 'settings', 'inputSchema', 'steps'],
    elsewhere: elsewhereInWorkflow,
    others: 'refused',
  },
  pipelineStep: {
    keys: [
      'id',
      'name',
      'type',
      'service',
      'action',
      'parameters',
      'condition',
      'parallel',
      'creates',
      'stage',
      'undo',
      ...execution,
    ],
    lists: ['creates'],
    others: 'refused',
    exclusive: stepDurations,
  },
} as const satisfies Readonly<Record<string, KeyTable>>

export interface SplitKeys {
  /** Keys with a meaning, in camelCase. */
  readonly known: Readonly<Record<string, JsonValue>>
  /** All others, as they stood. */
  readonly foreign: JsonObject
}

/** Tells the keys that mean something from those that are kept, and refuses those that were probably meant to mean something. */
export function splitKeys(
  raw: JsonObject,
  table: KeyTable,
  path: SourcePath,
  problems: ProblemList,
): SplitKeys {
  const known: Record<string, JsonValue> = {}
  const foreign: Record<string, JsonValue> = {}
  const spelling = new Map<string, string>()
  for (const [key, value] of Object.entries(raw)) {
    const name = camelCase(key)
    const place =
      table.elsewhere !== undefined && Object.hasOwn(table.elsewhere, name)
        ? table.elsewhere[name]
        : undefined
    if (table.keys.includes(name)) {
      const twin = spelling.get(groupOf(table, name))
      if (twin !== undefined)
        problems.add([...path, key], `says the same as '${twin}': give only one of them`)
      spelling.set(groupOf(table, name), key)
      if (value !== null && value !== undefined) known[name] = value
      else if (table.lists?.includes(name) === true) known[name] = []
    } else if (place !== undefined) {
      problems.add([...path, key], `has no meaning here: it belongs under '${place}'`)
    } else {
      const meant = table.others === 'free' ? undefined : nearMiss(key, table.keys)
      if (meant !== undefined) problems.add([...path, key], `is not a known key. Did you mean '${meant}'?`)
      else if (table.others === 'refused')
        problems.add([...path, key], `is not a known key. Known: ${table.keys.map(snakeCase).join(', ')}`)
      else if (value !== undefined) foreign[key] = value
    }
  }
  return { known, foreign }
}

/** The key of `raw` that is spelt either way, such as `on_fail` for `onFail`. */
export function spelledKey(raw: JsonValue | undefined, name: string | number): string | number {
  if (!isJsonObject(raw) || Object.hasOwn(raw, name)) return name
  return Object.keys(raw).find((key) => camelCase(key) === name) ?? name
}

export function camelCase(key: string): string {
  return key.replaceAll(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** The first of the spellings of one setting. */
export function groupOf(table: KeyTable, name: string): string {
  return table.exclusive?.find((group) => group.includes(name))?.[0] ?? name
}

/** Words of their own that merely look like a known key. */
const otherWords = new Set(['created', 'required', 'state'])

/**
 * The known key that a foreign one was probably meant to be. Stricter than for mistyped values, since most foreign keys are
 * meant as they are: short keys must keep their first letter and differ by one, `id` is never guessed (it is missed anyway).
 */
function nearMiss(key: string, known: readonly string[]): string | undefined {
  if (otherWords.has(key)) return undefined
  const typed = plainLetters(key)
  const name = known.find((candidate) => candidate !== 'id' && isNearMiss(typed, plainLetters(candidate)))
  if (name === undefined) return undefined
  return /[A-Z]/.test(key) ? name : snakeCase(name)
}

function isNearMiss(typed: string, known: string): boolean {
  const reach = known.length >= 9 ? 2 : 1
  if (Math.abs(typed.length - known.length) > reach) return false
  if (known.length < 5 && typed[0] !== known[0]) return false
  return editDistance(typed, known) <= reach
}

function plainLetters(key: string): string {
  return key.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
