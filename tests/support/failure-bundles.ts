import type { Stranger } from './stranger.ts'

/** A failure bundle as it lies in a stranger's project. */
export interface FoundBundle {
  /** Relative to the project. */
  readonly folder: string
  /** Paths of its files, relative to it. */
  readonly files: readonly string[]
  readonly manifest: FoundManifest
  readonly text: (path: string) => string
}

interface FoundManifest {
  readonly reason: string
  readonly partial: boolean
  readonly test: {
    readonly project: string | null
    readonly fullName: string
    readonly attempt: number
    readonly repeat: number | null
  }
  readonly errors: readonly { readonly message: string }[]
  readonly notes: readonly string[]
  readonly versions: {
    readonly vitest: string | null
    readonly node: string
    readonly template: { readonly name: string; readonly sha256: string } | null
  }
  readonly correlationIds: readonly string[]
  readonly sessions: readonly {
    readonly status: string
    readonly runId: string
    readonly correlationId: string
    readonly folder: string
  }[]
}

/**
 * `vitest.config.ts` of a stranger; `options` is the source text of what the plugin is given. However busy the machine is, only a
 * test that gives itself a limit runs into one.
 */
export function configWith(options = ''): string {
  return `import { defineConfig } from 'vitest/config'
import { faultline } from 'faultline/plugin'
export default defineConfig({ plugins: [faultline(${options})], test: { testTimeout: 60_000, hookTimeout: 60_000 } })
`
}

/** Imports that nearly every test file of a stranger begins with. */
export const testImports = `import { describe, expect, test } from 'faultline/vitest'
import { agentError } from 'faultline/fault-injection'
import { runWorkflowStepByStep } from 'faultline'
`

/** The bundles of all runs, by name. */
export function failureBundles(project: Stranger, parent = 'faultline-bundles'): readonly FoundBundle[] {
  const paths = project.files().filter((path) => path.startsWith(`${parent}/`))
  return paths
    .filter((path) => /^[^/]+\/[^/]+\/manifest\.json$/.test(path.slice(parent.length + 1)))
    .map((path) => path.slice(0, -'/manifest.json'.length))
    .map((folder) => ({
      folder,
      files: paths
        .filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1)),
      manifest: JSON.parse(project.read(`${folder}/manifest.json`)) as FoundManifest,
      text: (path) => project.read(`${folder}/${path}`),
    }))
}
