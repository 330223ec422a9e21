import { expect, inject, onTestFinished, test } from 'vitest'
import { stranger } from '../../support/stranger.ts'

test('a page is made of a run that went well, and of nothing that is not there', () => {
  const folder = stranger(inject('packedPackage'), {
    'flow.yaml':
      'id: flow\nname: Flow\nversion: "1"\nsteps:\n  - id: build\n    agent: builder\n    creates: [app.js]\n',
  })
  onTestFinished(() => folder.remove())
  expect(folder.faultline('run', 'flow.yaml', '--mock').code).toBe(0)
  const shown = folder.faultline('show', '--run')
  expect([shown.stderr, shown.code]).toEqual(['', 0])
  const page = /^page +(.*)$/m.exec(shown.stdout)?.[1] ?? ''
  expect(page).toMatch(/^faultline-bundles\/flow-.*\/index\.html$/)
  const html = folder.read(page)
  expect(html).toContain('"verdict":{"word":"completed","good":true}')
  expect(html).toContain('"path":"app.js"')
  expect(folder.faultline('show')).toMatchObject({
    code: 2,
    stderr: 'error: name a bundle, or a run with --run\n',
  })
  expect(folder.faultline('show', '--run', 'gone')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('error[RUN_NOT_FOUND]') as string,
  })
})
