import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createDigest, createNodeFiles } from '../adapters/node/index.ts'
import { createRedactor, runPage } from '../bundle/index.ts'
import { joinPath } from '../core/index.ts'
import { storeLayout } from '../engine/index.ts'
import { runIdOrLast, runReader } from '../harness/index.ts'
import type { Directories } from '../ports/index.ts'
import type { LogEntry, RecordedFile, StateDocument } from '../trace/index.ts'
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
  writeFileSync(
    page,
    runPage({ ...run, artifacts, logs: logsOf(run.state, directories) }, redact, createDigest()),
  )
  print(renderStatus(run.state, run.status, run.stateProblem))
  print('')
  print(`page     ${page}`)
}

/** From the daily logs, which are shared with other runs and may have been removed. */
function logsOf({ runId }: StateDocument, directories: Directories): readonly LogEntry[] {
  const { logs } = storeLayout(directories)
  if (!existsSync(logs)) return []
  return readdirSync(logs)
    .filter((name) => /^workflow-\d{8}\.log$/.test(name))
    .sort()
    .flatMap((name) => readFileSync(join(logs, name), 'utf8').split('\n'))
    .filter((line) => line.includes(runId))
    .flatMap(logEntry)
    .filter((entry) => entry.runId === runId)
}

/** A line that was being written when its process died is passed over. */
function logEntry(line: string): readonly LogEntry[] {
  try {
    return [JSON.parse(line) as LogEntry]
  } catch {
    return []
  }
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
