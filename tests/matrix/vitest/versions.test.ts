import { expect, inject, test } from 'vitest'
import { configWith, failureBundles, testImports } from '../../support/failure-bundles.ts'
import { stranger } from '../../support/stranger.ts'

test('a bundle names the Vitest and the Node of this row', () => {
  const project = stranger(inject('packedPackage'), {
    'package.json': '{ "name": "stranger", "type": "module" }',
    'vitest.config.ts': configWith(),
    'failing.test.ts': `${testImports}
test('fails', ({ project }) => expect(project.template).toBe('medium'))
`,
  })
  try {
    const { stdout, stderr } = project.vitest()
    const { vitest, node } = inject('matrixRow')
    expect(
      failureBundles(project).map(({ manifest }) => manifest.versions),
      stdout + stderr,
    ).toMatchObject([{ vitest, node }])
  } finally {
    project.remove()
  }
})
