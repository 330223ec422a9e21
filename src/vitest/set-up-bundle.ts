import { checkedOutCommit, createDigest, createNodeFiles, processVersions } from '../adapters/node/index.ts'
import { bundleFolderName, writeBundle } from '../bundle/index.ts'
import { joinPath } from '../core/index.ts'
import { bundleErrors } from './failure.ts'
import type { FailedSetUp } from './failed-set-ups.ts'
import { testRedactor } from './redactor.ts'

export interface SetUpBundlePlace {
  readonly root: string
  /** The folder of the tests. */
  readonly testRoot: string
  /** Folder of the run's bundles, relative to the root. */
  readonly bundles: string
  readonly vitest: string | null
  readonly redact: readonly RegExp[]
}

/** Writes the bundle of a failed set-up and answers its folder, relative to the root. */
export async function leaveSetUpBundle(
  { module, failed, errors }: FailedSetUp,
  { root, testRoot, bundles, vitest, redact }: SetUpBundlePlace,
): Promise<string> {
  const file = module.relativeModuleId.replaceAll('\\', '/')
  const fullName = failed.type === 'suite' ? failed.fullName : file
  const digest = createDigest()
  const redactor = testRedactor(testRoot, redact)
  const folder = joinPath(
    bundles,
    bundleFolderName(
      {
        slugSource: `${redactor.text(fullName)} set-up`,
        hashSource: `${module.project.name} > ${file} > ${fullName}`,
        attempt: 1,
      },
      digest,
    ),
  )
  await writeBundle(
    {
      kind: 'test',
      reason: 'set-up',
      test: {
        project: module.project.name === '' ? null : module.project.name,
        file,
        fullName,
        line: null,
        tags: [],
        timeoutMs: null,
        attempt: 1,
        repeat: null,
      },
      errors: bundleErrors(errors),
      sessions: [],
      versions: { ...processVersions(vitest), commit: checkedOutCommit(testRoot) },
      replay: { command: `npx faultline replay ${folder}`, env: null },
    },
    {
      files: createNodeFiles(root),
      folder,
      digest,
      redact: redactor,
    },
  )
  return folder
}
