import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import type { BundleContent } from '../../../src/bundle/index.ts'
import { sampleContent, sampleFolder, writeSample } from '../../support/sample-bundle.ts'
import { browserPath } from './browser.mjs'

export const sizes = { small: [390, 844], middle: [1024, 768], large: [1440, 900] } as const
export type Size = keyof typeof sizes

export interface OpenedPage {
  readonly page: Page
  /** What went over a network or was read from another file, what was written to the console, and what was thrown. */
  readonly noise: readonly string[]
}

export async function launchBrowser(): Promise<Browser> {
  if (browserPath === undefined) throw new Error('Install a browser with: apt-get install -y chromium')
  return chromium.launch({ executablePath: browserPath, args: ['--no-sandbox'] })
}

/** Opens the page of a bundle from disk, as somebody does who got it in a mail. */
export async function openPage(
  browser: Browser,
  content: BundleContent = sampleContent(),
  { size = 'large', theme = 'light' }: { readonly size?: Size; readonly theme?: 'light' | 'dark' } = {},
): Promise<OpenedPage> {
  const limits = { fileBytes: 64 * 1024 * 1024, bundleBytes: 256 * 1024 * 1024 }
  const { texts } = await writeSample(content, { limits })
  const folder = mkdtempSync(join(tmpdir(), 'faultline-page-'))
  const file = join(folder, 'index.html')
  writeFileSync(file, texts[`${sampleFolder}/index.html`] ?? '')
  const [width, height] = sizes[size]
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme })
  onTestFinished(async () => {
    await context.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const page = await context.newPage()
  const noise: string[] = []
  page.on('request', (request) => {
    if (request.url() !== pathToFileURL(file).href) noise.push(`asked for ${request.url()}`)
  })
  page.on('console', (message) => noise.push(message.text()))
  page.on('pageerror', (error) => noise.push(error.message))
  page.on('dialog', (dialog) => {
    noise.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  await page.goto(pathToFileURL(file).href)
  await page.waitForSelector('.event[aria-selected=true]')
  return { page, noise }
}
