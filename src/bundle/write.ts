import { containedPath, FaultlineError, joinPath, parentFolder } from '../core/index.ts'
import type { DigestPort, FilesPort } from '../ports/index.ts'
import type { RenderedPage } from '../viewer/index.ts'
import { admit, type AdmittedFile } from './admission.ts'
import type { BundleSession } from './bundle.ts'
import type { BundleContent } from './content.ts'
import { crashPaths, manifestFile, pageFile, snapshotPaths, summaryFile } from './layout.ts'
import {
  bundleMajor,
  bundleSchemaName,
  defaultBundleLimits,
  type BundleError,
  type BundleFile,
  type BundleLimits,
  type BundleManifest,
  type OmittedFile,
  type RedactionReport,
} from './manifest.ts'
import { unknownVersions } from './artifact-parts.ts'
import { bundlePage } from './page.ts'
import type { Redactor } from './redact.ts'
import { sessionParts, type SessionParts } from './session-parts.ts'
import { sessionStatus } from './session-status.ts'
import { summaryMarkdown } from './summary.ts'

export interface BundleTarget {
  readonly files: FilesPort
  /** Relative to the root of `files`; made with its parents. A bundle that lies there already is replaced. */
  readonly folder: string
  readonly digest: DigestPort
  readonly redact: Redactor
  /** Default `defaultBundleLimits`. */
  readonly limits?: Partial<BundleLimits>
}

export interface BundleLocation {
  /** As given, in normal form. */
  readonly folder: string
  readonly manifest: BundleManifest
  /** All files together. */
  readonly sizeBytes: number
}

/**
 * Writes a failure bundle. Everything is redacted before it leaves memory, and the manifest is written last: a folder
 * without one is a bundle whose writing was interrupted.
 *
 * @throws FaultlineError `FILE_WOULD_BE_OVERWRITTEN` when the folder holds something that is no bundle.
 */
export async function writeBundle(content: BundleContent, target: BundleTarget): Promise<BundleLocation> {
  const folder = containedPath(target.folder, 'bundle folder')
  const { manifest, files } = assemble(content, target)
  await clearFolder(target.files, folder)
  await makeFolders(target.files, folder, files)
  await Promise.all(files.map((file) => writeFile(target.files, joinPath(folder, file.path), file.bytes)))
  const manifestBytes = encoder.encode(`${JSON.stringify(manifest, null, 2)}\n`)
  await writeFile(target.files, joinPath(folder, manifestFile), manifestBytes)
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, manifestBytes.length)
  return { folder, manifest, sizeBytes }
}

interface AssembledBundle {
  readonly manifest: BundleManifest
  readonly files: readonly AdmittedFile[]
}

/** Synchronous from first to last, so that the redactions counted are this bundle's. */
function assemble(content: BundleContent, { digest, redact, limits: given }: BundleTarget): AssembledBundle {
  const countsBefore = redact.counts()
  const limits = { ...defaultBundleLimits, ...given }
  const sessions = content.sessions.map((recording, index) =>
    sessionParts(recording, index, { redact, limits, digest }),
  )
  const admitted = admit(
    [...sessions.flatMap(({ documents }) => documents), ...sessions.flatMap(({ artifacts }) => artifacts)],
    limits,
    digest,
  )
  const paths = new Set(admitted.files.map(({ path }) => path))
  const entries = content.sessions.map((recording, index) => {
    const { folder, session, artifactFiles } = sessions[index] as SessionParts
    return {
      ...redact.json({
        runId: recording.runId,
        correlationId: recording.correlationId,
        workflowId: recording.definition.id,
        seed: recording.seed,
      }),
      clock: recording.clock,
      disk: recording.disk,
      status: sessionStatus(recording.events).status,
      folder,
      snapshots: snapshotPaths(folder, session.snapshots, (path) => paths.has(path)),
      crashes: crashPaths(folder, recording.crashes.length, (path) => paths.has(path)),
      originals: recording.originals?.from ?? null,
      unknown: [...(recording.unknown ?? []), ...unknownVersions(artifactFiles)],
    }
  })
  const first = content.sessions[0]
  const draft: BundleManifest = {
    schema: `${bundleSchemaName}/${bundleMajor}`,
    kind: content.kind,
    reason: content.reason,
    partial: content.partial ?? false,
    test: content.kind === 'test' ? redact.json(content.test) : null,
    run: content.kind === 'run' ? redact.json({ sweep: null, ...content.run }) : null,
    correlationIds: redact.json([
      ...new Set([...(content.correlationIds ?? []), ...content.sessions.map((each) => each.correlationId)]),
    ]),
    seed: redact.json(content.seed ?? first?.seed ?? null),
    errors: redact.json(content.errors.map(plainError)),
    versions: redact.json({ commit: null, template: null, ...content.versions }),
    replay: redact.json(content.replay ?? null),
    sessions: entries,
    files: admitted.files.map(listed),
    omitted: admitted.omitted,
    limits,
    redaction: { total: 0, rules: {} },
    notes: redact.json(content.notes ?? []),
  }
  const views = sessions.map(({ session }, index): BundleSession => ({
    ...session,
    entry: entries[index] as BundleSession['entry'],
  }))
  const view = { manifest: draft, sessions: views }
  const summary = wholeFile(summaryFile, encoder.encode(summaryMarkdown(view)), digest)
  const page = bundlePage(
    view,
    sessions.map(({ artifactFiles }) => artifactFiles),
    admitted.files,
    limits,
  )
  const made = [summary, ...(page.html === null ? [] : [wholeFile(pageFile, page.html, digest)])]
  const manifest = {
    ...draft,
    files: [...made.map(listed), ...draft.files],
    omitted: page.html === null ? [...draft.omitted, pageLeftOut(page)] : draft.omitted,
    redaction: redactionsSince(countsBefore, redact.counts()),
  }
  return { manifest, files: [...made, ...admitted.files] }
}

const encoder = new TextEncoder()

function wholeFile(path: string, bytes: Uint8Array, digest: DigestPort): AdmittedFile {
  return { path, sizeBytes: bytes.length, sha256: digest.sha256(bytes), truncated: null, bytes }
}

function pageLeftOut({ dataBytes }: RenderedPage): OmittedFile {
  return { path: pageFile, sizeBytes: dataBytes, why: 'file-limit' }
}

function listed({ path, sizeBytes, sha256, truncated }: AdmittedFile): BundleFile {
  return { path, sizeBytes, sha256, truncated }
}

/** Test runners colour their messages; a file should not. */
function plainError({ name, message, stack }: BundleError): BundleError {
  return { name, message: withoutColours(message), stack: stack === null ? null : withoutColours(stack) }
}

const escape = String.fromCharCode(27)
const colours = new RegExp(`${escape}\\[[0-9;]*m`, 'g')

function withoutColours(text: string): string {
  return text.replace(colours, '')
}

function redactionsSince(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
): RedactionReport {
  const rules = Object.entries(after)
    .map(([rule, count]) => [rule, count - (before[rule] ?? 0)] as const)
    .filter(([, count]) => count > 0)
  return { total: rules.reduce((sum, [, count]) => sum + count, 0), rules: Object.fromEntries(rules) }
}

async function clearFolder(files: FilesPort, folder: string): Promise<void> {
  const entries = await files.perform({ op: 'list', path: folder })
  if (entries === undefined || entries.length === 0) return
  if (!entries.some(({ name }) => name === manifestFile)) {
    throw new FaultlineError(
      'FILE_WOULD_BE_OVERWRITTEN',
      `The bundle cannot go to '${folder}': the folder holds files that are no bundle. Give it a folder of its own.`,
      { details: { folder } },
    )
  }
  await files.perform({ op: 'removeFolder', path: folder })
}

async function makeFolders(files: FilesPort, folder: string, written: readonly BundleFile[]): Promise<void> {
  const wanted = new Set<string>()
  for (const { path } of written) {
    for (let parent = parentFolder(joinPath(folder, path)); parent !== ''; parent = parentFolder(parent)) {
      wanted.add(parent)
    }
  }
  // Most bundles lie beside others: then all folders above are there.
  const parent = parentFolder(folder)
  const above = parent === '' ? undefined : await files.perform({ op: 'stat', path: parent })
  if (above?.kind === 'folder') {
    for (let known = parent; known !== ''; known = parentFolder(known)) wanted.delete(known)
  }
  // Parents are shorter than what lies in them, so sorting puts them first.
  for (const path of [...wanted].sort()) await files.perform({ op: 'makeFolder', path })
}

async function writeFile(files: FilesPort, path: string, data: Uint8Array): Promise<void> {
  await files.perform({ op: 'write', path, data })
}
