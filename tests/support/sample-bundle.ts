import { createDigest } from '../../src/adapters/node/index.ts'
import { createVirtualFiles, type VirtualFiles } from '../../src/adapters/virtual/index.ts'
import {
  createRedactor,
  writeBundle,
  type BundleContent,
  type BundleContentOfTest,
  type BundleLocation,
  type BundleTarget,
} from '../../src/bundle/index.ts'
import { sampleRecording } from './sample-run.ts'

export const sampleFolder = 'faultline-bundles/suite-1/resumes-1a2b3c4d-a1'

/** A test that failed after its session had been resumed and completed. */
export function sampleContent(change: Partial<BundleContentOfTest> = {}): BundleContentOfTest {
  return {
    kind: 'test',
    reason: 'assertion',
    test: {
      project: null,
      file: 'tests/release.test.ts',
      fullName: 'release workflow > resumes after the reviewer fails',
      line: 12,
      tags: ['e2e_workflow'],
      timeoutMs: 5_000,
      attempt: 1,
      repeat: null,
    },
    errors: [
      {
        name: 'AssertionError',
        message: "expected 'completed' to be 'failed'",
        stack:
          "AssertionError: expected 'completed' to be 'failed'\n    at /home/someone/shop/tests/release.test.ts:12:30",
      },
    ],
    sessions: [sampleRecording()],
    versions: { faultline: '0.1.0', node: '20.20.0', vitest: '4.1.12', platform: 'linux-x64' },
    replay: { command: `npx faultline replay ${sampleFolder}`, env: null },
    ...change,
  }
}

export interface WrittenBundle {
  readonly files: VirtualFiles
  readonly location: BundleLocation
  /** Every file of the disk as text, by path. */
  readonly texts: Readonly<Record<string, string>>
}

export async function writeSample(
  content: BundleContent = sampleContent(),
  change: Partial<BundleTarget> = {},
): Promise<WrittenBundle> {
  const files = createVirtualFiles()
  const location = await writeBundle(content, {
    files,
    folder: sampleFolder,
    digest: createDigest(),
    redact: createRedactor({ environment: {}, roots: { '<root>': '/home/someone/shop' } }),
    ...change,
  })
  const decoder = new TextDecoder()
  const texts = Object.fromEntries(
    [...files.snapshotFiles()].map(([path, bytes]) => [path, decoder.decode(bytes)]),
  )
  return { files, location, texts }
}
