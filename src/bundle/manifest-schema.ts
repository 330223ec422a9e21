import type { ZodType } from 'zod'
import { FaultlineError, isJsonObject, type JsonObject } from '../core/index.ts'
import { unknownParts } from '../trace/index.ts'
import { bundleMajor, bundleReasons, bundleSchemaName, type BundleManifest } from './manifest.ts'
import { upgradedManifest } from './upgrade.ts'

/**
 * Reads the text of a `manifest.json`. Fields that this version does not know are ignored.
 *
 * @throws FaultlineError `BUNDLE_NEWER` for a newer major, `BUNDLE_INVALID` naming each field that is wrong.
 */
export async function parseManifest(text: string, path: string): Promise<BundleManifest> {
  const value = parseJson(text, path)
  const major = checkedMajor(value, path)
  const parsed = (await manifestSchema()).safeParse(upgradedManifest(value as JsonObject, major))
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || 'manifest'}: ${issue.message}`,
  )
  throw invalid(path, `its fields are not as they should be (${problems.slice(0, 5).join('; ')})`)
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw invalid(path, 'it is not JSON', cause)
  }
}

function checkedMajor(value: unknown, path: string): number {
  const schema = isJsonObject(value) ? value['schema'] : undefined
  const [, major] = /^faultline-bundle\/([1-9]\d*)$/.exec(typeof schema === 'string' ? schema : '') ?? []
  if (major === undefined) {
    throw invalid(
      path,
      `its 'schema' is ${JSON.stringify(schema) ?? 'absent'}, not '${bundleSchemaName}/${bundleMajor}'`,
    )
  }
  if (Number(major) > bundleMajor) {
    throw new FaultlineError(
      'BUNDLE_NEWER',
      `The bundle '${path}' has format ${major}; this faultline reads up to ${bundleMajor}. Update faultline to open it.`,
      { details: { path, major: Number(major), readable: bundleMajor } },
    )
  }
  return Number(major)
}

function invalid(path: string, what: string, cause?: unknown): FaultlineError {
  return new FaultlineError(
    'BUNDLE_INVALID',
    `'${path}' is not the manifest of a bundle: ${what}. Name the folder of one bundle, as printed with the failure.`,
    { details: { path }, ...(cause === undefined ? {} : { cause }) },
  )
}

let schema: Promise<ZodType<BundleManifest>> | undefined

/** zod is loaded when the first bundle is read: whoever only writes bundles does not pay for it. */
function manifestSchema(): Promise<ZodType<BundleManifest>> {
  schema ??= buildSchema()
  return schema
}

/** `manifest.json` as a JSON Schema, for programs that do not use this package; published as `docs/bundle.schema.json`. */
export async function bundleJsonSchema(): Promise<JsonObject> {
  const { z } = await import('zod')
  // As it is read, not as it is written: fields that came later may be missing, and unknown ones are ignored.
  const schema = z.toJSONSchema(await manifestSchema(), { io: 'input' }) as unknown as JsonObject
  return { $id: 'faultline/bundle.schema.json', title: `${bundleSchemaName}/${bundleMajor}`, ...schema }
}

async function buildSchema(): Promise<ZodType<BundleManifest>> {
  const { z } = await import('zod')
  const count = z.number().int().nonnegative()
  const seed = z.union([z.number(), z.string()])
  const path = z.string().min(1)
  return z.object({
    schema: z.literal(`${bundleSchemaName}/${bundleMajor}`),
    kind: z.enum(['test', 'run']),
    reason: z.enum(bundleReasons).catch('other'),
    partial: z.boolean(),
    test: z
      .object({
        project: z.string().nullable(),
        file: path,
        fullName: z.string(),
        line: count.nullable(),
        tags: z.array(z.string()),
        timeoutMs: z.number().nullable(),
        attempt: count,
        repeat: count.nullable(),
      })
      .nullable(),
    run: z
      .object({
        workflowFile: path.nullable(),
        arguments: z.array(z.string()),
        sweep: z
          .object({
            faults: z.array(z.record(z.string(), z.json())),
            invariants: z.array(z.string()),
            agents: z.string().nullable(),
            mock: z.boolean(),
            operator: z.record(z.string(), z.json()).nullable().default(null),
          })
          .nullable()
          .default(null),
      })
      .nullable(),
    correlationIds: z.array(z.string()),
    seed: seed.nullable(),
    errors: z.array(z.object({ name: z.string(), message: z.string(), stack: z.string().nullable() })),
    versions: z.object({
      faultline: z.string(),
      node: z.string(),
      vitest: z.string().nullable(),
      platform: z.string(),
      commit: z.string().nullable().default(null),
      template: z.object({ name: z.string(), sha256: z.string() }).nullable().default(null),
    }),
    replay: z.object({ command: z.string(), env: z.record(z.string(), z.string()).nullable() }).nullable(),
    sessions: z.array(
      z.object({
        runId: z.string(),
        correlationId: z.string(),
        workflowId: z.string(),
        seed,
        clock: z.enum(['virtual', 'real']),
        disk: z.enum(['folder', 'simulated']),
        status: z.enum(['running', 'completed', 'failed', 'cancelled']),
        folder: z.string(),
        snapshots: z.object({
          beforeFailure: path.nullable(),
          atFailure: path.nullable(),
          beforeResume: z.array(path.nullable()),
          afterResume: z.array(path.nullable()),
        }),
        crashes: z.array(path.nullable()).nullable().default(null),
        originals: z.enum(['template', 'project']).nullable().catch(null).default(null),
        unknown: z
          .array(z.object({ part: z.enum(unknownParts), why: z.string() }))
          .catch([])
          .default([]),
      }),
    ),
    files: z.array(
      z.object({
        path,
        sizeBytes: count,
        sha256: z.string(),
        truncated: z.object({ originalBytes: count }).nullable(),
      }),
    ),
    omitted: z.array(z.object({ path, sizeBytes: count, why: z.enum(['file-limit', 'bundle-limit']) })),
    limits: z.object({ payloadBytes: count, fileBytes: count, bundleBytes: count }),
    redaction: z.object({ total: count, rules: z.record(z.string(), count) }),
    notes: z.array(z.string()),
  })
}
