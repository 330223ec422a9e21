import { onTestFinished, inject } from 'vitest'
import { stranger } from './stranger.ts'
import type { Stranger } from './stranger.ts'

/** A stranger's project for the test that is running; removed when the test has ended. */
export function project(files: Readonly<Record<string, string>>): Stranger {
  const made = stranger(inject('packedPackage'), files)
  onTestFinished(() => made.remove())
  return made
}

export interface PersistedState {
  readonly status: string
  readonly currentSteps: readonly string[]
  readonly completedSteps: readonly string[]
  readonly error: { readonly step: string; readonly message: string } | null
}

export function stateOf(folder: Stranger): PersistedState {
  return JSON.parse(folder.read(`.workflow/runs/${lastRun(folder)}/state.json`)) as PersistedState
}

export function lastRun(folder: Stranger): string {
  return (JSON.parse(folder.read('.workflow/last.json')) as { readonly runId: string }).runId
}

/** Every file with its content. */
export function contents(folder: Stranger): Readonly<Record<string, string>> {
  return Object.fromEntries(folder.files().map((path) => [path, folder.read(path)]))
}

/** Every file but state and bundles, with its content. */
export function artifacts(folder: Stranger): Readonly<Record<string, string>> {
  const kept = Object.entries(contents(folder)).filter(
    ([path]) => !/^(\.workflow|faultline-bundles)\//.test(path),
  )
  return Object.fromEntries(kept)
}

/** The steps in the order in which attempts of them were started. */
export function startsOf(folder: Stranger): readonly string[] {
  return folder
    .read(`.workflow/runs/${lastRun(folder)}/events.jsonl`)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line.slice(9)) as { readonly kind: string; readonly step?: string })
    .flatMap((event) => (event.kind === 'step_start' && event.step !== undefined ? [event.step] : []))
}
