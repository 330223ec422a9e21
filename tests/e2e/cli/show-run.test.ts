import { expect, inject, onTestFinished, test } from 'vitest'
import { stranger } from '../../support/stranger.ts'

test('a page is made of a run that went well, and of nothing that is not there', () => {
  const folder = stranger(inject('packedPackage'), {
    'flow.yaml':
      'id: flow\nname: Flow\nversion: "1"\nsteps:\n  - id: build\n    agent: builder\n    creates: [app.js]\n',
    'faultline.agents.mjs': `export const agents = {
      builder({ artifacts, input, log }) {
        log('building ' + input.what)
        return artifacts.write('app.js', 'app()')
      },
    }`,
  })
  onTestFinished(() => folder.remove())
  for (const what of ['another', 'this one'])
    expect(folder.faultline('run', 'flow.yaml', '--input', JSON.stringify({ what })).code).toBe(0)
  const shown = folder.faultline('show', '--run')
  expect([shown.stderr, shown.code]).toEqual(['', 0])
  const page = /^page +(.*)$/m.exec(shown.stdout)?.[1] ?? ''
  expect(page).toMatch(/^faultline-bundles\/flow-.*\/index\.html$/)
  const html = folder.read(page)
  expect(html).toContain('"verdict":{"word":"completed","good":true}')
  expect(html).toContain('"path":"app.js"')
  // All runs of a day log into one file.
  expect(html).toContain('"message":"building this one"')
  expect(html).not.toContain('"message":"building another"')
  expect(folder.faultline('show')).toMatchObject({
    code: 2,
    stderr: 'error: name a bundle, or a run with --run\n',
  })
  expect(folder.faultline('show', '--run', 'gone')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('error[RUN_NOT_FOUND]') as string,
  })
})
