import { createNodeFiles } from '../../adapters/node/index.ts'
import { joinPath } from '../../core/index.ts'
import { stateFolder } from '../../engine/index.ts'
import { createProject } from '../../harness/index.ts'
import type { Project } from '../../harness/index.ts'
import type { FilesPort } from '../../ports/index.ts'
import { bundlesFolder } from '../bundles-folder.ts'

/** What no workflow works on, and what may be too large to keep in memory. */
const leftOut: ReadonlySet<string> = new Set([stateFolder, bundlesFolder, 'node_modules', '.git'])

/** The files of a folder in memory, where a sweep can do to them what it likes. */
export async function copyOfProject(folder: string): Promise<Project> {
  const project = await createProject({ storage: 'memory' })
  const files = createNodeFiles(folder)
  try {
    await copyInto(project, files, '')
  } finally {
    await files.closeAll()
  }
  return project
}

async function copyInto(project: Project, files: FilesPort, folder: string): Promise<void> {
  for (const { name, kind } of (await files.perform({ op: 'list', path: folder })) ?? []) {
    if (leftOut.has(name)) continue
    const path = joinPath(folder, name)
    if (kind === 'folder') await copyInto(project, files, path)
    if (kind !== 'file') continue
    const bytes = await files.perform({ op: 'read', path })
    if (bytes !== undefined) await project.write(path, bytes)
  }
}
