import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { servicePage } from '../../../src/viewer/index.ts'

describe('the live page', () => {
  test('lets its one script and its one style run, by their digests, and the service alone be asked', () => {
    const { html, contentSecurityPolicy } = servicePage()
    const digestOf = (tag: string): string => {
      const [, content = ''] = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(html) ?? []
      expect(content.length).toBeGreaterThan(1_000)
      return `'sha256-${createHash('sha256').update(content).digest('base64')}'`
    }
    expect(contentSecurityPolicy.split('; ')).toEqual([
      `default-src 'none'`,
      `script-src ${digestOf('script')}`,
      `style-src ${digestOf('style')}`,
      `connect-src 'self'`,
      `img-src data:`,
      `base-uri 'none'`,
      `form-action 'none'`,
      `frame-ancestors 'none'`,
    ])
  })

  test('holds one script, one style and no data, and writes no markup', () => {
    const { html } = servicePage()
    expect([...html.matchAll(/<(script|style)\b/g)].map(([, tag]) => tag)).toEqual(['style', 'script'])
    expect(html).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(/)
  })
})
