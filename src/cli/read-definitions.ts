import { readdirSync, statSync } from 'node:fs'
import { FaultlineError } from '../core/index.ts'
import type { ReadWorkflow } from '../engine/index.ts'
import { readWorkflowFile } from './read-workflow.ts'

/** A workflow with where it was found. */
export interface DefinedWorkflow {
  readonly workflow: ReadWorkflow
  readonly file: string
  /** Which one, of a file that holds several. */
  readonly name: string | undefined
}

/**
 * All workflows of files, and of the YAML files that lie in folders.
 *
 * @throws FaultlineError `FILE_NOT_FOUND`, `DEFINITION_INVALID`, and `CONFIGURATION_INVALID` where two have the same id.
 */
export async function readDefinitions(paths: readonly string[]): Promise<readonly DefinedWorkflow[]> {
  const found = new Map<string, DefinedWorkflow>()
  for (const file of new Set(paths.flatMap(filesAt))) {
    const written = await readWorkflowFile(file)
    for (const name of written.names) {
      const workflow = await written.load(name)
      const { id } = workflow.definition
      const other = found.get(id)
      if (other !== undefined) throw twice(id, other.file, file)
      found.set(id, { workflow, file, name })
    }
  }
  return [...found.values()]
}

function filesAt(path: string): readonly string[] {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [path]
  const folder = path.replace(/[/\\]+$/, '')
  const files = readdirSync(path)
    .filter((name) => /\.ya?ml$/.test(name))
    .sort()
    .map((name) => (folder === '.' ? name : `${folder}/${name}`))
  if (files.length > 0) return files
  throw new FaultlineError(
    'FILE_NOT_FOUND',
    `The folder '${path}' holds no workflow definition: no .yaml or .yml lies in it. JSON files are named one by one.`,
    { details: { path } },
  )
}

function twice(id: string, file: string, other: string): FaultlineError {
  const where = file === other ? `twice in '${file}'` : `in '${file}' and in '${other}'`
  return new FaultlineError(
    'CONFIGURATION_INVALID',
    `The workflow '${id}' is ${where}, and is to be told apart by its id: rename one, or leave one out.`,
    { details: { workflow: id } },
  )
}
