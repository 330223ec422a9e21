import { relative, sep } from 'node:path'
import { createNodeFiles } from '../../adapters/node/index.ts'
import { joinPath } from '../../core/index.ts'
import { stateFolder } from '../../engine/index.ts'
import { createProject } from '../../harness/index.ts'
import type { Project } from '../../harness/index.ts'
import type { FilesPort } from '../../ports/index.ts'
import { bundlesFolder } from '../bundles-folder.ts'

/** What no workflow works on, and what may be too large to keep in memory. */
const leftOut: ReadonlySet<string> = new Set([stateFolder, bundlesFolder, 'node_modules', '.git'])

/**
 * The files of a folder in memory, where a sweep can do to them what it likes.
 *
 * @param written Paths of what the sweep itself writes: no part of the project.
 */
export async function copyOfProject(folder: string, written: readonly string[] = []): Promise<Project> {
  const project = await createProject({ storage: 'memory' })
  const files = createNodeFiles(folder)
  try {
    await copyInto(
      project,
      files,
      '',
      new Set(written.map((path) => relative(folder, path).replaceAll(sep, '/'))),
    )
  } finally {
    await files.closeAll()
  }
  return project
}

async function copyInto(
  project: Project,
  files: FilesPort,
  folder: string,
  written: ReadonlySet<string>,
): Promise<void> {
  for (const { name, kind } of (await files.perform({ op: 'list', path: folder })) ?? []) {
    if (leftOut.has(name)) continue
    const path = joinPath(folder, name)
    if (written.has(path)) continue
    if (kind === 'folder') await copyInto(project, files, path, written)
    if (kind !== 'file') continue
    const bytes = await files.perform({ op: 'read', path })
    if (bytes !== undefined) await project.write(path, bytes)
  }
}
