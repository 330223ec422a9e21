/**
 * What a failing test or run leaves behind: a folder that tells what happened, what was on disk, and how to make it happen
 * again, and that opens with any text editor. Secrets and absolute paths are taken out before anything is written; what is
 * cut or left out for its size is listed. Knows no test runner and no command line: they say what failed and where to write.
 */
export type { Bundle, BundleSession, BundleSnapshots, BundleView } from './bundle.ts'
export {
  compareBundles,
  sameBundles,
  type BundleComparison,
  type FileChange,
  type SessionComparison,
} from './compare.ts'
export type { BundleContent, BundleContentOfRun, BundleContentOfTest } from './content.ts'
export { bundleFolderName, type BundleName } from './folder-name.ts'
export { bundleJsonSchema } from './manifest-schema.ts'
export {
  bundleReasons,
  defaultBundleLimits,
  type BundleError,
  type BundleFile,
  type BundleLimits,
  type BundleManifest,
  type BundleReason,
  type BundleReplay,
  type BundleRun,
  type BundleSweep,
  type BundleSessionEntry,
  type BundleTemplate,
  type BundleTest,
  type BundleVersions,
  type OmittedFile,
  type RedactionReport,
  type SnapshotPaths,
} from './manifest.ts'
export { packBundle, unpackBundle, type UnpackedBundle, type UnpackLimits } from './pack.ts'
export { bundledEvents, isTruncated, type BundledEventsOptions } from './payload-limits.ts'
export { readBundle, readManifest } from './read.ts'
export { createRedactor, type Redactor, type RedactorOptions } from './redact.ts'
export { createSecretMemory, type SecretMemory } from './secret-memory.ts'
export { runPage, type PagedRun } from './run-page.ts'
export { renderSummary } from './render-summary.ts'
export { fenced, summaryMarkdown, titleOf } from './summary.ts'
export { writeBundle, type BundleLocation, type BundleTarget } from './write.ts'
