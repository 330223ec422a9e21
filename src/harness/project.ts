import {
  copyTemplate,
  createDigest,
  createNodeFiles,
  createTemporaryRoot,
  makeTemporaryFolder,
  ownTemplatesFolder,
  readTemplate,
  removeFolder,
  templateAgents,
  templateNames,
  templateOnlyFiles,
} from '../adapters/node/index.ts'
import type { TemporaryRoot } from '../adapters/node/index.ts'
import { createMemfsFiles } from '../adapters/virtual/index.ts'
import { checkId, containedPath, FaultlineError, joinPath, parentFolder, suggestion } from '../core/index.ts'
import { reservedFolder, storeLayout } from '../engine/index.ts'
import type { StoreLayout } from '../engine/index.ts'
import type { Agents, Directories, FilesPort } from '../ports/index.ts'
import type { Project, SessionLimits, SessionObserver, WorkflowSession } from './contract.ts'
import type { SweptFinding } from './sweep/report.ts'

export interface CreateProjectOptions {
  /** Name of a project template. Default: an empty project. */
  readonly template?: string
  /** Folder of your own templates; looked into before those that come with faultline. */
  readonly templates?: string
  /** Where the project's folder is made. Default: a temporary folder of this process. */
  readonly root?: string
  /** Name of the project's folder; made unique. Default: the template's name. */
  readonly name?: string
  /** Keep the folder when the project is removed. Default false. */
  readonly keep?: boolean
  /** `memory`: a memfs volume instead of a folder, for agents that want the whole `fs` API. Default `folder`. */
  readonly storage?: 'folder' | 'memory'
  readonly seed?: number | string
  readonly correlationId?: string
  readonly limits?: SessionLimits
  /** Is told what the project's sessions do, as they do it. */
  readonly observer?: SessionObserver
  /** Where sessions keep what their engine writes, unless they say otherwise; not copied from the template. */
  readonly directories?: Directories
}

/** What the harness remembers of a project beside its public face. */
interface ProjectInternals {
  readonly files: FilesPort
  readonly given: Set<string> | undefined
  /** What the template puts into a project; undefined without a template. */
  readonly templateFiles: ReadonlyMap<string, Uint8Array> | undefined
  readonly sessions: WorkflowSession[]
  readonly findings: SweptFinding[]
  readonly observer: SessionObserver | undefined
  /** Where runs of this project keep their state. */
  readonly stores: StoreLayout[]
}

const internals = new WeakMap<Project, ProjectInternals>()

/**
 * Makes a fresh, isolated project folder from a template.
 *
 * @example
 * const project = await createProject({ template: 'medium' })
 * @throws FaultlineError `TEMPLATE_UNKNOWN` with the nearest name.
 */
export async function createProject(options: CreateProjectOptions = {}): Promise<Project> {
  const { template } = options
  const templateFolder = template === undefined ? undefined : findTemplate(template, options.templates)
  const given =
    templateFolder === undefined
      ? new Map<string, Uint8Array>()
      : projectFiles(templateFolder, options.directories)
  const parts = {
    template: template ?? 'none',
    agents: templateFolder === undefined ? {} : await templateAgents(templateFolder),
    given: new Set(given.keys()),
    templateFiles: templateFolder === undefined ? undefined : given,
    seed: options.seed,
    correlationId: options.correlationId,
    limits: options.limits,
    observer: options.observer,
    directories: options.directories,
  }
  const place = options.storage === 'memory' ? await memoryPlace() : await folderPlace(options)
  const project = projectAt({ ...parts, ...place })
  if (place.folder !== undefined) copyTemplate(given, place.folder)
  else for (const [path, bytes] of given) await project.write(path, bytes)
  return project
}

/** A project in a folder that exists already and stays. */
export function openProject(folder: string): Project {
  const files = createNodeFiles(folder)
  return projectAt({
    files,
    folder,
    fs: undefined,
    template: 'none',
    agents: {},
    given: undefined,
    templateFiles: undefined,
    seed: undefined,
    correlationId: undefined,
    limits: undefined,
    observer: undefined,
    directories: undefined,
    remove: () => files.closeAll(),
  })
}

/** Paths that the project was made with or that the test wrote; undefined for a folder that was opened as it was. */
export function filesGivenTo(project: Project): ReadonlySet<string> | undefined {
  return internals.get(project)?.given
}

/** What the template of a project has put into it; undefined for a project that was not made from one. */
export function templateFilesOf(project: Project): ReadonlyMap<string, Uint8Array> | undefined {
  return internals.get(project)?.templateFiles
}

/**
 * What a template puts into a project.
 *
 * @throws FaultlineError `TEMPLATE_UNKNOWN` with the nearest name.
 */
export function filesOfTemplate(name: string, templates?: string): ReadonlyMap<string, Uint8Array> {
  return projectFiles(findTemplate(name, templates), undefined)
}

/**
 * A template with a digest of all that is in it now, agents included.
 *
 * @param templates Folder of your own templates, as for `createProject`.
 * @throws FaultlineError `TEMPLATE_UNKNOWN` with the nearest name.
 */
export function templateVersion(
  name: string,
  templates?: string,
): { readonly name: string; readonly sha256: string } {
  const digest = createDigest()
  const files = readTemplate(findTemplate(name, templates))
  const lines = [...files].map(([path, bytes]) => `${digest.sha256(bytes)} ${path}\n`)
  return { name, sha256: digest.sha256(lines.join('')) }
}

/** Sessions that were opened in a project, oldest first. */
export function sessionsOf(project: Project): readonly WorkflowSession[] {
  return internals.get(project)?.sessions ?? []
}

/** The disk that the project lies on. */
export function filesOf(project: Project): FilesPort {
  const known = internals.get(project)
  if (known !== undefined) return known.files
  throw new FaultlineError('SESSION_MISUSE', 'The project was not made by createProject or openProject.')
}

/** Who follows the sessions of a project. */
export function observerOf(project: Project): SessionObserver | undefined {
  return internals.get(project)?.observer
}

/** What sweeps have found in a project, oldest first. */
export function sweptFindingsOf(project: Project): readonly SweptFinding[] {
  return internals.get(project)?.findings ?? []
}

export function registerFindings(project: Project, findings: readonly SweptFinding[]): void {
  internals.get(project)?.findings.push(...findings)
}

export function registerSession(project: Project, session: WorkflowSession): void {
  internals.get(project)?.sessions.push(session)
}

/** What a run keeps in these directories is not listed as files of the project from now on. */
export function hideDirectories(project: Project, directories: Directories | undefined): void {
  internals.get(project)?.stores.push(storeLayout(directories))
}

/** Where a project's files are. */
interface ProjectPlace {
  readonly files: FilesPort
  readonly folder: string | undefined
  readonly fs: Project['fs']
  readonly remove: () => Promise<void>
}

interface ProjectParts extends ProjectPlace {
  readonly template: string
  readonly agents: Agents
  readonly given: Set<string> | undefined
  readonly templateFiles: ReadonlyMap<string, Uint8Array> | undefined
  readonly seed: number | string | undefined
  readonly correlationId: string | undefined
  readonly limits: SessionLimits | undefined
  readonly observer: SessionObserver | undefined
  readonly directories: Directories | undefined
}

function projectAt(parts: ProjectParts): Project {
  const { files, fs, folder, template, agents, given, seed, correlationId, limits, directories } = parts
  const read = async (path: string): Promise<Uint8Array> => {
    const bytes = await files.perform({ op: 'read', path: containedPath(path) })
    if (bytes !== undefined) return bytes
    throw new FaultlineError(
      'FILE_NOT_FOUND',
      `The project has no file '${path}'. ${suggestion(path, await listFiles(files, ''))}`,
      {
        details: { path },
      },
    )
  }
  const stores = [storeLayout()]
  const isHidden = (path: string): boolean =>
    stores.some((store) => reservedFolder(store, path) !== undefined)
  const project: Project = {
    template,
    folder,
    fs,
    seed,
    correlationId,
    limits,
    directories,
    agents,
    read,
    readText: async (path) => new TextDecoder().decode(await read(path)),
    async write(path, data) {
      const target = containedPath(path)
      await makeParents(files, parentFolder(target))
      await files.perform({ op: 'write', path: target, data })
      given?.add(target)
    },
    exists: async (path) => (await files.perform({ op: 'stat', path: containedPath(path) })) !== undefined,
    list: async ({ all = false } = {}) => {
      const found = await listFiles(files, '')
      return (all ? found : found.filter((path) => !isHidden(path))).sort()
    },
    remove: async () => {
      await parts.remove()
    },
  }
  const { templateFiles, observer } = parts
  internals.set(project, { files, given, templateFiles, sessions: [], findings: [], observer, stores })
  return project
}

async function listFiles(files: FilesPort, folder: string): Promise<string[]> {
  const found: string[] = []
  for (const { name, kind } of (await files.perform({ op: 'list', path: folder })) ?? []) {
    const path = joinPath(folder, name)
    if (kind === 'file') found.push(path)
    if (kind === 'folder') found.push(...(await listFiles(files, path)))
  }
  return found
}

async function makeParents(files: FilesPort, folder: string): Promise<void> {
  if (folder === '' || (await files.perform({ op: 'stat', path: folder })) !== undefined) return
  await makeParents(files, parentFolder(folder))
  await files.perform({ op: 'makeFolder', path: folder })
}

function projectFiles(templateFolder: string, directories: Directories | undefined): Map<string, Uint8Array> {
  const store = storeLayout(directories)
  return new Map(
    [...readTemplate(templateFolder)].filter(
      ([path]) => !templateOnlyFiles.has(path) && reservedFolder(store, path) === undefined,
    ),
  )
}

function findTemplate(template: string, templates: string | undefined): string {
  checkId('template name', template)
  const folders = [...(templates === undefined ? [] : [templates]), ownTemplatesFolder()]
  const names = folders.map((folder) => ({ folder, names: templateNames(folder) }))
  const found = names.find((each) => each.names.includes(template))
  if (found !== undefined) return joinPath(found.folder, template)
  const known = names.flatMap((each) => each.names)
  throw new FaultlineError(
    'TEMPLATE_UNKNOWN',
    `There is no project template '${template}'. ${suggestion(template, known)}`,
    {
      details: { template, known },
    },
  )
}

/** Below the given root, or in a temporary folder of its own. */
async function folderPlace(
  options: CreateProjectOptions,
): Promise<ProjectPlace & { readonly folder: string }> {
  const name = options.name ?? options.template ?? 'project'
  const keep = options.keep ?? false
  const own =
    options.root === undefined ? await createTemporaryRoot({ prefix: 'faultline', keep }) : undefined
  const folder = makeTemporaryFolder(options.root ?? (own as TemporaryRoot).folder, name)
  const files = createNodeFiles(folder)
  return {
    files,
    folder,
    fs: undefined,
    async remove() {
      await files.closeAll()
      if (!keep) await removeFolder(folder)
      await own?.remove()
    },
  }
}

async function memoryPlace(): Promise<ProjectPlace> {
  const { files, fs } = await createMemfsFiles()
  return { files, folder: undefined, fs, remove: async () => {} }
}
