import type { SerializedError, TestModule, TestSuite } from 'vitest/node'
import { checkedOutCommit, createDigest, createNodeFiles, processVersions } from '../adapters/node/index.ts'
import { bundleFolderName, writeBundle } from '../bundle/index.ts'
import { joinPath } from '../core/index.ts'
import { bundleErrors } from './failure.ts'
import { testRedactor } from './redactor.ts'

/** A file or suite that failed outside its tests. */
export interface FailedSetUp {
  readonly module: TestModule
  readonly failed: TestModule | TestSuite
  readonly errors: readonly SerializedError[]
}

/** A failing `beforeAll` skips its tests and runs no fixture: the run alone can tell. */
export function failedSetUps(modules: readonly TestModule[]): readonly FailedSetUp[] {
  return modules.flatMap((module) =>
    [module, ...module.children.allSuites()].flatMap((failed) => {
      const errors = failed.errors()
      return errors.length === 0 ? [] : [{ module, failed, errors }]
    }),
  )
}

export interface SetUpBundlePlace {
  readonly root: string
  /** Folder of the run's bundles, relative to the root. */
  readonly bundles: string
  readonly vitest: string | null
  readonly redact: readonly RegExp[]
}

/** Writes the bundle of a failed set-up and answers its folder, relative to the root. */
export async function leaveSetUpBundle(
  { module, failed, errors }: FailedSetUp,
  { root, bundles, vitest, redact }: SetUpBundlePlace,
): Promise<string> {
  const file = module.relativeModuleId.replaceAll('\\', '/')
  const fullName = failed.type === 'suite' ? failed.fullName : file
  const digest = createDigest()
  const redactor = testRedactor(root, redact)
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
      versions: { ...processVersions(vitest), commit: checkedOutCommit(root) },
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
