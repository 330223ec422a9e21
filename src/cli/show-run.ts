import { mkdirSync, writeFileSync } from 'node:fs'
import { createDigest, createNodeFiles } from '../adapters/node/index.ts'
import { createRedactor, runPage } from '../bundle/index.ts'
import { joinPath } from '../core/index.ts'
import { runIdOrLast, runReader } from '../harness/index.ts'
import type { Directories } from '../ports/index.ts'
import type { RecordedFile } from '../trace/index.ts'
import { bundlesFolder } from './bundles-folder.ts'
import { print } from './output.ts'
import { renderStatus } from './render.ts'

/** Says where a run stands, and makes a page of it beside the bundles that it may have left. */
export async function showRun(named: string | undefined, directories: Directories): Promise<void> {
  const reader = runReader(process.cwd(), directories)
  const run = await reader.read(await runIdOrLast(reader, named))
  const artifacts = await artifactsOf(run.state.artifacts.map(({ path }) => path))
  const redact = createRedactor({ environment: process.env, roots: { '<project>': process.cwd() } })
  const folder = joinPath(bundlesFolder, run.state.runId)
  const page = joinPath(folder, 'index.html')
  mkdirSync(folder, { recursive: true })
  writeFileSync(page, runPage({ ...run, artifacts }, redact, createDigest()))
  print(renderStatus(run.state, run.status, run.stateProblem))
  print('')
  print(`page     ${page}`)
}

/** Those that are still there. */
async function artifactsOf(paths: readonly string[]): Promise<RecordedFile[]> {
  const files = createNodeFiles(process.cwd())
  const found: RecordedFile[] = []
  for (const path of paths) {
    const bytes = await files.perform({ op: 'read', path })
    if (bytes !== undefined) found.push({ path, bytes })
  }
  await files.closeAll()
  return found
}
