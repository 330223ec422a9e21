import type { Project } from 'faultline'
import { z } from 'zod'
import { sha256 } from './story.ts'

/** The format of `state.json` as docs/state-and-log.md has it, written down a second time: not taken from faultline. */
const digest = z.string().regex(/^[0-9a-f]{64}$/)
const stepError = z.strictObject({
  kind: z.string(),
  message: z.string(),
  name: z.string().optional(),
  missingVar: z.string().optional(),
})
const scoring = z.strictObject({ passed: z.boolean(), scores: z.record(z.string(), z.number()) })
const artifact = z.strictObject({ path: z.string(), sha256: digest, sizeBytes: z.int().nonnegative() })
const tried = { visit: z.int().positive(), attempt: z.int().positive() }

const step = z.strictObject({
  agent: z.string(),
  status: z.enum(['pending', 'running', 'retrying', 'paused', 'waiting', 'completed', 'failed', 'skipped']),
  visit: z.int().nonnegative(),
  attempt: z.int().nonnegative(),
  output: z.json(),
  scoring: scoring.nullable(),
  error: stepError.nullable(),
  artifacts: z.array(artifact),
  attempts: z.array(
    z.strictObject({
      ...tried,
      startedAt: z.int(),
      finishedAt: z.int().nullable(),
      durationMs: z.int().nullable(),
      outcome: z.enum(['running', 'completed', 'failed', 'gate-failed', 'interrupted']),
      error: stepError.nullable(),
    }),
  ),
  loops: z.int().nonnegative(),
  missingVar: z.string().optional(),
  waiting: z.strictObject({ since: z.int(), expiresAt: z.int().nullable() }).optional(),
  undo: z
    .strictObject({
      attempt: z.int().positive(),
      status: z.enum(['running', 'completed', 'failed']),
      startedAt: z.int(),
      finishedAt: z.int().nullable(),
      output: z.json(),
      error: stepError.nullable(),
    })
    .optional(),
  skipped: z.strictObject({ reason: z.string(), because: z.array(z.string()) }).optional(),
  tolerated: z.literal(true).optional(),
})

export const stateFile = z.strictObject({
  schemaVersion: z.literal(2),
  checksum: digest,
  saveSeq: z.int().positive(),
  seq: z.int().nonnegative(),
  epoch: z.int().positive(),
  workflowId: z.string(),
  runId: z.string(),
  correlationId: z.string(),
  status: z.enum(['running', 'paused', 'waiting', 'completed', 'failed', 'cancelled']),
  reason: z.string().nullable(),
  progress: z.strictObject({
    completed: z.int().nonnegative(),
    skipped: z.int().positive().optional(),
    total: z.int().positive(),
  }),
  degraded: z.literal(true).optional(),
  hasFailures: z.literal(true).optional(),
  activeConnections: z.array(z.strictObject({ from: z.string(), to: z.string() })).optional(),
  safePoint: z.strictObject({ step: z.string().nullable(), seq: z.int().nonnegative() }),
  monitoring: z.strictObject({
    errorCount: z.int().nonnegative(),
    recoveryAttempts: z.int().nonnegative(),
  }),
  completedSteps: z.array(z.string()),
  currentSteps: z.array(z.string()),
  steps: z.record(z.string(), step),
  gateDecisions: z.array(
    z.strictObject({
      ...tried,
      step: z.string(),
      passed: z.boolean(),
      reason: z.string().nullable(),
      scoring: scoring.nullable(),
      route: z.enum(['pass', 'loop', 'fail']),
      by: z.enum(['person', 'expiry']).optional(),
    }),
  ),
  artifacts: z.array(z.strictObject({ ...artifact.shape, ...tried, producedBy: z.string().nullable() })),
  input: z.json(),
  seed: z.union([z.number(), z.string()]),
  launch: z.record(z.string(), z.json()),
  error: z.strictObject({ ...stepError.shape, step: z.string().nullable() }).nullable(),
  startedAt: z.int(),
  updatedAt: z.int(),
  definitionSha256: digest,
  definition: z.looseObject({ id: z.string(), steps: z.array(z.looseObject({ id: z.string() })) }),
})

export type StateFile = z.infer<typeof stateFile>

export function statePath(runId: string): string {
  return `.workflow/runs/${runId}/state.json`
}

/** Reads the raw file: it parses, has the documented form, and its checksum is that of all the rest. */
export async function readStateFile(project: Project, runId: string): Promise<StateFile> {
  const parsed = stateFile.parse(JSON.parse(await project.readText(statePath(runId))))
  const { checksum, ...body } = parsed
  const recomputed = sha256(canonical(body))
  if (checksum !== recomputed) throw new Error(`state.json has checksum ${checksum} and is ${recomputed}`)
  return parsed
}

/** JSON with the keys of every object in the order of their code units, and no blanks. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const members = Object.entries(value)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`)
  return `{${members.join()}}`
}
