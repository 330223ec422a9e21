import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import type { BundleContent } from '../../../src/bundle/index.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sampleContent } from '../../support/sample-bundle.ts'
import { largeRecording } from '../../support/large-run.ts'
import { recordingWithHistory } from '../../support/sample-run.ts'
import { launchBrowser, openPage, sizes, type Size } from './opened-page.ts'

const tabs = ['timeline', 'state', 'logs', 'artifacts', 'disk', 'plan', 'files'] as const

/** A page with all the tabs that there are. */
const whole = { sessions: [recordingWithHistory()] }

let browser: Browser
beforeAll(async () => {
  browser = await launchBrowser()
})
afterAll(() => browser.close())

describe('the page, opened from disk', () => {
  test('shows what failed, with the command to replay it, and asks for nothing', async () => {
    const { page, noise } = await openPage(browser, sampleContent(whole))
    expect(await page.textContent('h1')).toBe('resumes after the reviewer fails')
    expect(await page.textContent('.verdict')).toBe('✗failed')
    expect(await page.textContent('.replay code')).toMatch(/^npx faultline replay faultline-bundles\//)
    for (const tab of tabs) await page.click(`#tab-${tab}`)
    expect(noise).toEqual([])
  })

  test('lets no other script run', async () => {
    const { page, noise } = await openPage(browser)
    await page.evaluate(`
      const script = document.createElement('script')
      script.textContent = 'window.ran = true'
      document.body.append(script)
    `)
    expect(await page.evaluate('window.ran')).toBeUndefined()
    expect(noise).toEqual([expect.stringContaining('Content Security Policy')])
  })

  test('copies the replay command', async () => {
    const { page } = await openPage(browser)
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.click('.replay button')
    await expect.poll(() => page.textContent('.replay button')).toBe('Copied')
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(await page.textContent('.replay code'))
    expect(await page.textContent('[role=status]')).toBe('The replay command was copied.')
  })

  test('draws a bar for every attempt, and shows the event behind one', async () => {
    const { page } = await openPage(browser)
    const bars = page.locator('.lane', { hasText: 'review' }).locator('.bar')
    expect(await bars.evaluateAll((all) => all.map((bar) => bar.getAttribute('aria-label')))).toEqual([
      'review, visit 1, attempt 1: failed and was retried; faults: agent-error',
      'review, visit 1, attempt 2: failed; faults: agent-error',
      'review, visit 1, attempt 3: was sent back by its gate',
      'review, visit 2, attempt 1: completed',
    ])
    await bars.nth(1).click()
    expect(await page.textContent('.detail h2')).toBe('review#1@2 failed: model overloaded (exception)')
    expect(await page.textContent('.detail .changes')).toContain('steps.review.statusrunningfailed')
  })

  test('marks a crash and the resume after it', async () => {
    const { page } = await openPage(browser, sampleContent({ sessions: [largeRecording(24, 12)] }))
    expect(await page.locator('.mark').allTextContents()).toEqual(['⚡ crash', '↻ resume', '■ end'])
    expect(await page.locator('.line').count()).toBe(3)
  })

  test('shows states with what differs from the one before', async () => {
    const { page } = await openPage(browser)
    await page.click('#tab-state')
    await page.click('.choices button:has-text("at failure")')
    expect(await page.textContent('.picked .changes')).toContain('statusrunningfailed')
  })

  test('shows logs and the contents of artifacts', async () => {
    const { page } = await openPage(browser)
    await page.click('#tab-logs')
    await page.fill('[aria-label="Search logs"]', 'slow')
    expect(await page.locator('#panel-logs .rows > .log .text').allTextContents()).toEqual([
      'the model is slow',
    ])
    await page.click('#tab-artifacts')
    expect(await page.textContent('[aria-label="Content of the artifact"]')).toBe('app.run()\n')
  })

  test('compares an artifact with the template, and every version with any other', async () => {
    const { page } = await openPage(browser, sampleContent(whole))
    await page.click('#tab-artifacts')
    expect(await page.textContent('.picked .facts')).toContain('changed: another in the template')
    expect(await diffOf(page)).toEqual(['removed // empty', 'added app.run()'])
    await page.selectOption('[aria-label="Compared with"]', { label: 'version 1: build#1@1, #5' })
    expect(await diffOf(page)).toEqual(['removed app.start()', 'added app.run()'])
    await page.selectOption('[aria-label="Show"]', { label: 'version 1: build#1@1, #5' })
    await page.selectOption('[aria-label="Compared with"]', { label: 'nothing' })
    expect(await page.textContent('[aria-label="Content of the artifact"]')).toBe('app.start()\n')
  })

  test('compares what is no text by size and digest', async () => {
    const content = sampleContent({
      sessions: [
        {
          ...recordingWithHistory(),
          artifacts: [{ path: 'dist/app.js', bytes: new Uint8Array([255, 0, 255]) }],
        },
      ],
    })
    const { page } = await openPage(browser, content)
    await page.click('#tab-artifacts')
    const rows = await page.locator('.picked .plain-table').first().locator('tbody tr').allTextContents()
    expect(rows.map((row) => row.replace(/[0-9a-f]{64}$/, ' digest'))).toEqual([
      'template9 B digest',
      'version 2: build#2@1, #173 B digest',
    ])
  })

  test('tells of the disk at a crash what was durable and what was lost', async () => {
    const { page } = await openPage(browser, sampleContent(whole))
    await page.click('#tab-disk')
    const tables = page.locator('.picked .plain-table tbody')
    expect(await tables.allTextContents()).toEqual(['dist/new.js11 Bno file5 Bcut off', 'dist/app.js10 B'])
    expect(await page.textContent('[aria-label="Text that was not durable"]')).toBe('app.stop()\n')
  })

  test('has no tab for the disk where nothing crashed', async () => {
    const { page } = await openPage(browser)
    expect(await page.locator('#tab-disk').count()).toBe(0)
  })
})

describe('the keyboard', () => {
  test('moves through the events, finds problems, searches and explains itself', async () => {
    const { page } = await openPage(browser)
    expect(await selected(page)).toBe('23')
    await page.keyboard.press('k')
    expect(await selected(page)).toBe('22')
    await page.keyboard.press('j')
    expect(await selected(page)).toBe('23')
    await page.keyboard.press('n')
    expect(await selected(page)).toBe('7')
    await page.keyboard.press('/')
    await page.keyboard.type('gate j')
    expect(await page.textContent('.found')).toBe('0 of 24')
    await page.keyboard.press('Backspace')
    expect(await page.textContent('.found')).toBe('2 of 24')
    await page.keyboard.press('Escape')
    await page.keyboard.press('j')
    expect(await selected(page)).toBe('14')
    await page.keyboard.press('?')
    expect(await page.locator('dialog').isVisible()).toBe(true)
    await page.keyboard.press('Escape')
    await page.keyboard.press('t')
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark')
  })

  test('tells a reader of the screen which event is chosen', async () => {
    const { page } = await openPage(browser)
    await page.keyboard.press('k')
    const id = await page.getAttribute('[role=grid]', 'aria-activedescendant')
    expect(await page.getAttribute(`#${id}`, 'aria-selected')).toBe('true')
    expect(await page.getAttribute(`#${id}`, 'aria-rowindex')).toBe('24')
  })
})

describe('hostile names and contents', () => {
  const markup =
    '<img src=x onerror="window.ran=1"><script>window.ran=1</script><a href="javascript:ran=1">x</a>'

  test('are shown as they are and never run', async () => {
    const recording = recordingWithHistory()
    const file = { path: 'dist/<img src=x onerror=ran=1>.html', bytes: new TextEncoder().encode(markup) }
    const content = sampleContent({
      errors: [{ name: markup, message: markup, stack: markup }],
      notes: [markup],
      sessions: [
        {
          ...recording,
          events: recording.events.map((event) =>
            event.kind === 'step_finish' ? { ...event, output: { [markup]: markup }, step: markup } : event,
          ),
          logs: recording.logs.map((entry) => ({ ...entry, message: markup })),
          artifacts: [file],
          originals: null,
          crashes: recording.crashes.map((crash) => ({
            ...crash,
            durable: [{ path: file.path, sizeBytes: 1 }],
            unsynced: [{ path: file.path, written: file.bytes, durable: null, left: null }],
          })),
          input: { [markup]: markup },
        },
      ],
    })
    const { page, noise } = await openPage(browser, content)
    expect(await page.textContent('.note')).toBe(markup)
    for (const tab of tabs) {
      await page.click(`#tab-${tab}`)
      await page.evaluate(
        `for (const each of document.querySelectorAll('#panel-${tab} summary')) each.click()`,
      )
    }
    expect(await page.textContent('[aria-label="Content of the artifact"]')).toBe(markup)
    expect(await page.textContent('[aria-label="Text that was not durable"]')).toBe(markup)
    expect(await page.locator('img, a, iframe, body script:not([type])').count()).toBe(1)
    expect(await page.evaluate('window.ran')).toBeUndefined()
    expect(noise).toEqual([])
  })
})

describe('a run of ten thousand events', () => {
  test('draws what is in sight and no more, also at its end and when it is searched', async () => {
    const recording = largeRecording(3_000)
    expect(recording.events.length).toBeGreaterThan(10_000)
    const { page, noise } = await openPage(browser, sampleContent({ sessions: [recording] }))
    const drawn = (): Promise<number> => page.locator('*').count()
    expect(await drawn()).toBeLessThan(5_000)
    const grid = page.locator('[role=grid]')
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      await grid.evaluate((element, to) => (element.scrollTop = element.scrollHeight * to), share)
      await twoFrames(page)
      const shown = await page.locator('.rows > .event').evaluateAll(
        (rows, height) => {
          const box = rows[0]?.parentElement?.parentElement?.getBoundingClientRect()
          return rows.filter((row) => {
            const { top, bottom } = row.getBoundingClientRect()
            return box !== undefined && bottom > box.top && top < box.top + height
          }).length
        },
        await grid.evaluate((element) => element.clientHeight),
      )
      expect(shown).toBeGreaterThan(5)
      expect(await page.locator('.rows > .event').count()).toBeLessThan(100)
    }
    await page.fill('[aria-label="Search events"]', 'step-2999 completed')
    expect(await page.textContent('.found')).toMatch(/^1 of 10,/)
    expect(noise).toEqual([])
  })

  test('opens within the time that a small run, opened on the same machine, leaves of two seconds', async () => {
    const large = sampleContent({ sessions: [largeRecording(3_000)] })
    const opened = async (content: BundleContent): Promise<number> => {
      const { page } = await openPage(browser, content)
      return page.evaluate<number>(`Number(document.documentElement.dataset.readyAt)`)
    }
    const ratios: number[] = []
    for (let round = 0; round < 3; round++)
      ratios.push((await opened(large)) / (await opened(sampleContent())))
    // A small page takes a tenth of a second where nothing else runs.
    expect(Math.min(...ratios)).toBeLessThan(20)
  })

  test('is scrolled without frames that take longer than when nothing moves', async () => {
    const { page } = await openPage(browser, sampleContent({ sessions: [largeRecording(3_000)] }))
    const frames = async (step: number): Promise<number> =>
      page.evaluate<number>(`new Promise((done) => {
        const grid = document.querySelector('[role=grid]')
        const from = performance.now()
        let frame = 0
        grid.scrollTop = 0
        const next = () => {
          grid.scrollTop += ${step}
          if (++frame < 60) requestAnimationFrame(next)
          else done(performance.now() - from)
        }
        requestAnimationFrame(next)
      })`)
    const ratios: number[] = []
    for (let round = 0; round < 3; round++) {
      const still = await frames(0)
      ratios.push((await frames(5_000)) / still)
    }
    expect(Math.min(...ratios)).toBeLessThan(3)
  })
})

describe.each(['light', 'dark'] as const)('in %s', (theme) => {
  test.each(Object.keys(sizes) as Size[])(
    'a %s page has nothing that axe calls serious, and never scrolls sideways',
    async (size) => {
      const { page } = await openPage(browser, sampleContent({ ...whole, notes: ['a note'] }), {
        size,
        theme,
      })
      await page.evaluate(axe.source)
      const found: string[] = []
      for (const tab of tabs) {
        await page.click(`#tab-${tab}`)
        await twoFrames(page)
        found.push(...(await seriousFindings(page)).map((finding) => `${tab}: ${finding}`))
        const folder = process.env['FAULTLINE_SCREENSHOTS']
        if (folder !== undefined)
          await page.screenshot({ path: `${folder}/${tab}-${size}-${theme}.png`, fullPage: true })
        expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
      }
      expect(found).toEqual([])
    },
  )
})

/** The lines that the difference shows, as a reader of the screen hears them. */
async function diffOf(page: Page): Promise<string[]> {
  const rows = await page.locator('.diff tbody tr').all()
  return Promise.all(
    rows.map(async (row) =>
      [
        await row.locator('.line-sign .unseen').textContent(),
        await row.locator('.line-text').textContent(),
      ].join(' '),
    ),
  )
}

async function selected(page: Page): Promise<string | null> {
  return page.textContent('.event[aria-selected=true] > .number')
}

async function twoFrames(page: Page): Promise<void> {
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
}

async function seriousFindings(page: Page): Promise<string[]> {
  return page.evaluate(`axe.run().then(({ violations }) =>
    violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => id + ' at ' + nodes.map(({ target }) => target.join(' ')).join(', ')))`)
}
