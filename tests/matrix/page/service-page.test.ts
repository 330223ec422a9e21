import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Agents } from '../../../src/ports/index.ts'
import { servedWorkflows } from '../../support/served-workflows.ts'
import type { ServedWorkflows } from '../../support/served-workflows.ts'
import { launchBrowser, sizes, type Size } from './opened-page.ts'

const markup = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>'

const files = {
  'nightly.yaml': `
services:
  api: { url: 'http://127.0.0.1:9' }
workflows:
  nightly:
    name: Every night
    description: Looks after things
    steps:
      - { id: look, type: look, service: api, retries: 2, retry_delay: 5 }
      - { id: mend, type: mend, condition: has_failures, timeout: 90 }
      - { id: tell, type: tell, condition: always }
`,
  'review.yaml': `
id: review
name: A review
version: 1.2.0
steps:
  - { id: write, agent: look }
  - { id: judge, agent: mend, gate: { condition: 'output == 1', on_fail: write } }
`,
}

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

interface Opened {
  readonly page: Page
  readonly noise: readonly string[]
}

async function open(
  { url }: ServedWorkflows,
  { size = 'large', theme = 'light' }: { readonly size?: Size; readonly theme?: 'light' | 'dark' } = {},
): Promise<Opened> {
  const [width, height] = sizes[size]
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme })
  onTestFinished(() => context.close())
  const page = await context.newPage()
  const noise: string[] = []
  page.on('console', (message) => noise.push(message.text()))
  page.on('pageerror', (error) => noise.push(error.message))
  page.on('request', (request) => {
    if (!request.url().startsWith(`${url}/`) && !request.url().startsWith('data:')) noise.push(request.url())
  })
  await page.goto(url)
  await page.waitForSelector('[data-service="live"]')
  return { page, noise }
}

const agents: Agents = {
  look: () => ({ failures: ['one'] }),
  mend: () => {
    throw new Error('the network is gone')
  },
  tell: () => 'told',
}

const stateOf = (page: Page, part: string): Promise<string | null> => page.textContent(`#${part}-state`)

describe('the page of the service', () => {
  test('lists workflows with their steps, conditions and retries, services with their health, and the latest runs', async () => {
    const service = await servedWorkflows({ files, agents })
    const runId = await service.run('nightly')
    const { page, noise } = await open(service)
    expect(await page.locator('#workflows .entry-title').allTextContents()).toEqual([
      'Every night',
      'A review',
    ])
    expect(await rowsOf(page, '#workflows')).toEqual([
      ['look', 'look (api)', '–', '–', '2, after 5 s', '30 s'],
      ['mend', 'mend', 'look', 'has_failures', '–', '1 min 30 s'],
      ['tell', 'tell', 'mend', 'always', '–', '30 s'],
      ['write', 'look', '–', '–', '–', '30 s'],
      ['judge', 'mend', 'write', 'gate: output == 1, else back to write', '–', '30 s'],
    ])
    expect(await page.textContent('#services .entry')).toMatch(/^api✗downhttp:\/\/127\.0\.0\.1:9.*refused/)
    const [run = []] = await rowsOf(page, '#runs')
    expect([run[0], run[1], run[2], run[5], run[6]]).toEqual([
      '✗failed, failures found',
      runId,
      'nightly',
      '2/3',
      'mend: the network is gone',
    ])
    expect(noise).toEqual([])
  })

  test('shows a run that is started meanwhile, and its steps by the keyboard', async () => {
    const service = await servedWorkflows({ files, agents })
    const { page } = await open(service)
    expect(await page.textContent('#runs .empty')).toBe('No run is kept here.')
    const runId = await service.run('nightly')
    const row = page.locator(`#run-${runId}`)
    await row.waitFor()
    await row.focus()
    await page.keyboard.press('Enter')
    await page.waitForSelector('#run tbody tr')
    expect(
      (await rowsOf(page, '#run')).map(([status, step, , , attempts, outcome]) => [
        status,
        step,
        attempts,
        outcome,
      ]),
    ).toEqual([
      ['✓completed', 'look', '1', '{"failures":["one"]}'],
      ['✗failed', 'mend', '1', 'the network is gone'],
      ['✓completed', 'tell', '1', '"told"'],
    ])
    expect(await page.evaluate('document.activeElement.id')).toBe('close-run')
    await page.keyboard.press('Enter')
    expect(await page.locator('#run').count()).toBe(0)
    expect(await page.evaluate('document.activeElement.id')).toBe(`run-${runId}`)
  })

  test('keeps the focus and what is folded when its data change', async () => {
    const service = await servedWorkflows({ files, agents })
    const first = await service.run('review')
    const { page } = await open(service)
    await page.click('#workflow-nightly')
    await page.focus(`#run-${first}`)
    const second = await service.run('review')
    await page.waitForSelector(`#run-${second}`)
    expect(await page.evaluate('document.activeElement.id')).toBe(`run-${first}`)
    expect(
      await page
        .locator('#workflows details')
        .evaluateAll((all) => all.map((one) => one.hasAttribute('open'))),
    ).toEqual([false, true])
  })

  test('marks the part whose request fails, with a word, and leaves the others alone', async () => {
    const service = await servedWorkflows({ files, agents })
    await service.run('nightly')
    const { page } = await open(service)
    await page.route('**/api/runs*', (route) => route.fulfill({ status: 500, body: '{}' }))
    await page.waitForSelector('#runs[data-state=stale]')
    expect(await stateOf(page, 'runs')).toMatch(
      /^!stale, as of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC: the service answered with status 500$/,
    )
    expect(await rowsOf(page, '#runs')).toHaveLength(1)
    expect([await stateOf(page, 'workflows'), await stateOf(page, 'services')]).toEqual(['●live', '●live'])
    expect(await page.textContent('.verdict')).toBe('!partly stale')
    expect(await page.textContent('#announcement')).toContain('Latest runs: stale')
    await page.unroute('**/api/runs*')
    await page.waitForSelector('[data-service="live"]')
    expect(await stateOf(page, 'runs')).toBe('●live')
  })

  test('makes nothing up: what it has never received stays empty', async () => {
    const service = await servedWorkflows({ files, agents })
    const { page } = await open(service)
    await page.route('**/api/workflows', (route) => route.abort())
    await page.reload()
    await page.waitForSelector('#workflows[data-state=offline]')
    expect(await page.textContent('#workflows .part-body')).toBe('Nothing has been received yet.')
    expect(await stateOf(page, 'workflows')).toBe('!offline: the service cannot be reached')
  })

  test('says that it is offline when the service has ended, and is live again when it is back', async () => {
    const service = await servedWorkflows({ files, agents })
    const { page } = await open(service)
    await service.close()
    await page.waitForSelector('[data-service="offline"]')
    expect(await page.textContent('.verdict')).toBe('!offline')
    expect(await page.locator('#workflows .entry').count()).toBe(2)
    await servedWorkflows({ files, agents, port: Number(new URL(service.url).port) })
    await page.waitForSelector('[data-service="live"]')
  })

  test('shows hostile names and texts as they are and never runs them', async () => {
    const hostile = JSON.stringify({
      id: 'hostile',
      name: markup,
      description: markup,
      version: markup,
      services: undefined,
      steps: [{ id: 'one', agent: 'bad', service: markup, parameters: { [markup]: markup } }],
    })
    const pipelines = JSON.stringify({
      services: { [markup]: { url: `http://127.0.0.1:9/${markup}` } },
      workflows: { pipeline: { steps: [{ id: 'one', type: 'bad', service: markup, condition: 'always' }] } },
    })
    const service = await servedWorkflows({
      files: { [`${markup}.yaml`]: hostile, 'pipeline.yaml': pipelines },
      agents: {
        bad: () => {
          throw new Error(markup)
        },
      },
    })
    const runId = await service.run('hostile')
    const { page, noise } = await open(service)
    expect(await page.textContent('#workflows .entry-title')).toBe(markup)
    expect(await page.textContent('#services .entry-title')).toBe(markup)
    await page.click(`#run-${runId}`)
    await page.waitForSelector('#run tbody tr')
    expect((await rowsOf(page, '#run'))[0]?.at(-1)).toBe(markup)
    expect(await page.locator('img, a, iframe').count()).toBe(0)
    expect(await page.locator('script').count()).toBe(1)
    expect(await page.evaluate('window.ran')).toBeUndefined()
    expect(noise).toEqual([])
  })

  test('lets no other script run and asks nobody else', async () => {
    const { page, noise } = await open(await servedWorkflows({ files, agents }))
    await page.evaluate(`
      const script = document.createElement('script')
      script.textContent = 'window.ran = true'
      document.body.append(script)
      fetch('http://127.0.0.1:9/').catch(() => {})
    `)
    await expect.poll(() => noise.join('\n')).toMatch(/script-src[^]*connect-src/)
    expect(await page.evaluate('window.ran')).toBeUndefined()
  })
})

describe.each(['light', 'dark'] as const)('in %s', (theme) => {
  test.each(Object.keys(sizes) as Size[])(
    'a %s page of the service has nothing that axe calls serious, and never scrolls sideways',
    async (size) => {
      const service = await servedWorkflows({ files, agents })
      const runId = await service.run('nightly')
      await service.run('review')
      const { page } = await open(service, { size, theme })
      await page.click(`#run-${runId}`)
      await page.waitForSelector('#run tbody tr')
      await page.route('**/api/services', (route) => route.fulfill({ status: 503 }))
      await page.waitForSelector('#services[data-state=stale]')
      const folder = process.env['FAULTLINE_SCREENSHOTS']
      if (folder !== undefined)
        await page.screenshot({ path: `${folder}/service-${size}-${theme}.png`, fullPage: true })
      await page.evaluate(axe.source)
      expect(
        await page.evaluate(`axe.run().then(({ violations }) =>
          violations
            .filter(({ impact }) => impact === 'serious' || impact === 'critical')
            .map(({ id, nodes }) => id + ' at ' + nodes.map(({ target }) => target.join(' ')).join(', ')))`),
      ).toEqual([])
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    },
  )
})

/** The texts of the rows of all tables below an element. */
async function rowsOf(page: Page, within: string): Promise<string[][]> {
  return page
    .locator(`${within} tbody tr`)
    .evaluateAll((rows) =>
      rows.map((row) =>
        Array.from<{ readonly textContent: string | null }, string>(
          row.children,
          ({ textContent }) => textContent ?? '',
        ),
      ),
    )
}
