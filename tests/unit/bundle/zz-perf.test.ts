import { test } from 'vitest'
import { createDigest, createNodeFiles } from '/work/main/src/adapters/node/index.ts'
import { createVirtualFiles } from '/work/main/src/adapters/virtual/index.ts'
import { createRedactor, writeBundle } from '/work/main/src/bundle/index.ts'
import { sampleContent } from '/work/main/tests/support/sample-bundle.ts'
import { mkdtempSync } from 'node:fs'
test('perf', async () => {
  const redact = createRedactor({ environment: { ...process.env, A_KEY: 'abcdefgh1', B_TOKEN: 'hjkhjkhkj', C_SECRET: 'lkjlkjlkj"' }, roots: { '<root>': '/home/x/y' } })
  const dir = mkdtempSync('/tmp/perf-')
  for (const [name, files] of [['virtual', createVirtualFiles()], ['node', createNodeFiles(dir)]] as const) {
    const times = []
    for (let i = 0; i < 60; i++) {
      const t = performance.now()
      await writeBundle(sampleContent(), { files, folder: `b${i}`, digest: createDigest(), redact })
      times.push(performance.now() - t)
    }
    console.log(name, 'first', times[0].toFixed(1), 'median', times.sort((a, b) => a - b)[30].toFixed(2))
  }
})
