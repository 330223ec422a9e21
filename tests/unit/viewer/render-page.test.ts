import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { PageData } from '../../../src/viewer/page-data.ts'
import { renderPage, type PageContent } from '../../../src/viewer/index.ts'
import { sampleContent, sampleFolder, writeSample } from '../../support/sample-bundle.ts'
import { recordingWithHistory } from '../../support/sample-run.ts'
import { pageArtifact, pageContent, pageSession } from '../../support/page-data.ts'

const hostile = '</script><script>alert(1)</script><!-- \u2028\u2029 "\' & <img src=x onerror=alert(2)>'

describe('a page', () => {
  test('is let run its own script and style and nothing else', () => {
    const html = htmlOf(pageContent())
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1]
    const script = [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(([, text = '']) => sha256(text))
    const style = [...html.matchAll(/<style>(.*?)<\/style>/gs)].map(([, text = '']) => sha256(text))
    expect([script, style].map(({ length }) => length)).toEqual([1, 1])
    expect(policy).toBe(
      `default-src 'none'; script-src 'sha256-${script[0]}'; style-src 'sha256-${style[0]}'; base-uri 'none'; form-action 'none'`,
    )
  })

  test('names nothing outside of itself', () => {
    const withoutData = htmlOf(pageContent()).replace(/<script type="application\/json".*?<\/script>/s, '')
    expect(withoutData.match(/https?:|file:|\bimport\(|\bfetch\(|url\(|@import|\ssrc=|\shref=/g)).toBeNull()
  })

  test('holds hostile texts as data, in one element that they cannot end', () => {
    const content = pageContent({
      title: hostile,
      notes: [hostile],
      sessions: [{ ...pageSession(), ...pageArtifact(hostile, hostile) }],
    })
    const html = htmlOf(content)
    expect(html.match(/<script/g)).toHaveLength(2)
    expect(html.match(/<\/script/g)).toHaveLength(2)
    expect(html.match(/<img|<!--/g)).toBeNull()
    expect(embeddedIn(html).match(/[<>&\u2028\u2029]/g)).toBeNull()
    expect(dataOf(html)).toMatchObject({ title: hostile, notes: [hostile] })
    expect(dataOf(html).sessions[0]?.artifacts[0]).toMatchObject({ path: hostile })
    expect(Object.values(dataOf(html).sessions[0]?.contents ?? {})).toEqual([{ text: hostile, note: null }])
  })

  test('tells the definition once, however many states go by it', () => {
    const [session] = dataOf(htmlOf(pageContent())).sessions
    expect(session?.definition).toMatchObject({ id: 'release' })
    expect(session?.events[0]?.body).not.toHaveProperty('definition')
    expect(session?.snapshots.map(({ state }) => 'definition' in state)).toEqual([false, false])
  })

  test('keeps a definition that is another than the one the run goes by', () => {
    const session = pageSession()
    const changed = { ...session, definition: { ...session.definition, name: 'Other' } as never }
    const [told] = dataOf(htmlOf(pageContent({ sessions: [changed] }))).sessions
    expect(told?.events[0]?.body).toHaveProperty('definition.name', 'Release')
    expect(told?.snapshots[0]?.state).toHaveProperty('definition.name', 'Release')
  })

  test('is small without its data', () => {
    const { html, dataBytes } = renderPage(pageContent())
    expect((html?.length ?? 0) - dataBytes).toBeLessThan(64 * 1024)
  })

  test('has the script and the style that its sources give', { timeout: 60_000 }, () => {
    const script = join(import.meta.dirname, '../../../scripts/page.mjs')
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([0, ''])
  })
})

describe('a page with a limit', () => {
  const text = 'x'.repeat(20_000)
  const content = pageContent({
    sessions: [{ ...pageSession(), ...pageArtifact('a.txt', text) }],
  })
  const { dataBytes } = renderPage(content)

  test('leaves out the contents of artifacts first, and says so', () => {
    const page = dataOf(htmlOf(content, dataBytes - 1))
    expect(page.leftOut).toContain('contents of artifacts')
    expect(page.sessions[0]).toMatchObject({ artifacts: [{ path: 'a.txt' }], contents: {} })
    expect(page.sessions[0]?.snapshots).toHaveLength(2)
  })

  test('then all but the rows, which still tell what happened', () => {
    const page = dataOf(htmlOf(content, 9_000))
    expect(page.leftOut).toContain('States, logs')
    expect(page.sessions[0]).toMatchObject({ snapshots: [], logs: [] })
    expect(page.sessions[0]?.events[9]).toMatchObject({
      text: 'review#1@2 failed: model overloaded (exception)',
      body: {},
    })
  })

  test('is not made when the rows alone are more', () => {
    expect(renderPage(content, 100)).toEqual({ html: null, dataBytes: expect.any(Number) as number })
  })
})

describe('the page of a bundle', () => {
  test('has no absolute path and no secret', async () => {
    const { texts } = await writeSample()
    const html = texts[`${sampleFolder}/index.html`] ?? ''
    expect(html).not.toContain('/home/someone')
    expect(dataOf(html).errors[0]?.stack).toContain('<root>/tests/release.test.ts:12:30')
  })

  test('tells what the bundle tells, snapshots in the order in which they were taken', async () => {
    const { texts } = await writeSample(sampleContent({ sessions: [recordingWithHistory()] }))
    const page = dataOf(texts[`${sampleFolder}/index.html`] ?? '')
    expect(page).toMatchObject({
      title: 'release workflow > resumes after the reviewer fails',
      verdict: { word: 'failed', good: false },
      replay: `npx faultline replay ${sampleFolder}`,
      leftOut: null,
    })
    expect(page.sessions[0]?.snapshots.map(({ label, seq }) => [label, seq])).toEqual([
      ['before failure', 8],
      ['after resume 1', 8],
      ['at failure', 10],
      ['before resume 1', 10],
    ])
    const [session] = page.sessions
    const textOf = (name: { readonly sha256: string } | null | undefined): string | null | undefined =>
      session?.contents[name?.sha256 ?? '']?.text
    const [artifact] = session?.artifacts ?? []
    expect([artifact?.path, session?.originals]).toEqual(['dist/app.js', 'template'])
    expect(textOf(artifact?.newest)).toBe('app.run()\n')
    expect(textOf(artifact?.original)).toBe('// empty\n')
    expect(artifact?.versions.map((version) => [version.seq, version.by, textOf(version)])).toEqual([
      [5, 'build#1@1', 'app.start()\n'],
      [17, 'build#2@1', 'app.run()\n'],
    ])
    expect(page.files.map(({ path }) => path)).toContain('state/at-failure.json')
  })

  test('is left out, and listed so, when its rows are more than a file may have', async () => {
    const { texts, location } = await writeSample(undefined, { limits: { fileBytes: 1_000 } })
    expect(texts[`${sampleFolder}/index.html`]).toBeUndefined()
    expect(location.manifest.omitted).toContainEqual({
      path: 'index.html',
      sizeBytes: expect.any(Number) as number,
      why: 'file-limit',
    })
  })
})

function htmlOf(content: PageContent, limitBytes?: number): string {
  return new TextDecoder().decode(renderPage(content, limitBytes).html ?? undefined)
}

function embeddedIn(html: string): string {
  return /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)?.[1] ?? ''
}

function dataOf(html: string): PageData {
  return JSON.parse(embeddedIn(html)) as PageData
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}
