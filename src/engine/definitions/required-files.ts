import { FaultlineError } from '../../core/index.ts'
import { createdFiles } from './created-files.ts'
import type { LoadedWorkflow } from './load-workflow.ts'

interface MissingFile {
  readonly step: string
  readonly path: string
  /** `file:line` of the requirement. */
  readonly place?: string
}

/**
 * Finds the files that must stand in the project before the run and do not: those that some step requires and no other step
 * creates.
 *
 * @param exists Whether the project has a file, or anything in a folder when the path ends in `/`.
 * @returns The error to throw, or undefined when all are there. `details.step` and `details.path` are the first missing one's,
 *   `details.missing` lists all.
 */
export function missingRequiredFile(
  loaded: LoadedWorkflow,
  exists: (path: string) => boolean,
): FaultlineError | undefined {
  const { steps } = loaded.definition
  const created = createdFiles(steps)
  const missing = steps.flatMap((step, index) =>
    step.requires.flatMap((path, position): readonly MissingFile[] => {
      if (created.creatorsOf(path).some((creator) => creator !== index) || exists(path)) return []
      const place = loaded.locate(`steps.${step.id}.requires.${position}`)
      return [{ step: step.id, path, ...(place === undefined ? {} : { place }) }]
    }),
  )
  return missing.length === 0 ? undefined : requiredFileMissing(loaded.definition.id, missing)
}

const shownFiles = 5

function requiredFileMissing(workflowId: string, missing: readonly MissingFile[]): FaultlineError {
  const lines = missing.slice(0, shownFiles).map(({ step, path, place }) => {
    const kind = path.endsWith('/') ? 'folder' : 'file'
    return (
      `${place ?? `workflow '${workflowId}'`}: step '${step}' requires the ${kind} '${path}', which no other step creates and ` +
      `which is not in the project. Put it there, or name it in the 'creates' of the step that writes it.`
    )
  })
  if (missing.length > lines.length) lines.push(`and ${missing.length - lines.length} more`)
  return new FaultlineError('REQUIRED_FILE_MISSING', lines.join('\n'), {
    details: { step: missing[0]?.step, path: missing[0]?.path, missing },
  })
}
