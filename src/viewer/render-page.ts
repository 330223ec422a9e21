import type { PageContent } from './content.ts'
import { pageData } from './page-data.ts'
import { script, scriptHash, style, styleHash } from './shell.ts'

/** Nothing is loaded and nothing is sent; only this very script and this very style take part. */
const contentSecurityPolicy = `default-src 'none'; script-src '${scriptHash}'; style-src '${styleHash}'; base-uri 'none'; form-action 'none'`

export interface RenderedPage {
  /** In UTF-8; null when even its rows alone are more than the limit. */
  readonly html: Uint8Array | null
  /** Size of the data in it, which are all of it but what is the same in every page. */
  readonly dataBytes: number
}

/**
 * One HTML file with everything in it, which opens from disk. What it shows are data that the script writes into the page
 * as text, never as markup.
 *
 * @param limitBytes where the data would be more, the contents of artifacts, then states, logs and what events hold stay out
 */
export function renderPage(content: PageContent, limitBytes = Infinity): RenderedPage {
  let dataBytes = 0
  for (const detail of ['whole', 'without files', 'rows only'] as const) {
    const data = encoder.encode(embedded(pageData(content, detail)))
    dataBytes = data.length
    if (dataBytes <= limitBytes) return { html: document(content.title, data), dataBytes }
  }
  return { html: null, dataBytes }
}

const encoder = new TextEncoder()

const beforeTitle = encoder.encode(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>`)
const beforeData = encoder.encode(`</title>
<style>${style}</style>
</head>
<body>
<noscript>This page needs JavaScript. The text files beside it, summary.md first, tell the same.</noscript>
<script type="application/json" id="data">`)
const afterData = encoder.encode(`</script>
<script>${script}</script>
</body>
</html>
`)

/** Put together from bytes: most of a page is the same in every other. */
function document(title: string, data: Uint8Array): Uint8Array {
  const parts = [beforeTitle, encoder.encode(escaped(title)), beforeData, data, afterData]
  const html = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    html.set(part, at)
    at += part.length
  }
  return html
}

/** JSON in which nothing can end the element it stands in, nor the line of a script. */
function embedded(value: unknown): string {
  let json = JSON.stringify(value)
  for (const [character, escape] of escapes) json = json.replaceAll(character, escape)
  return json
}

/** One search each: far quicker than a set of characters, since most texts have few of them. */
const escapes = ['<', '>', '&', '\u2028', '\u2029'].map(
  (character) => [character, `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`] as const,
)

function escaped(text: string): string {
  return text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
