import { script, scriptHash, style, styleHash } from './service-shell.ts'

export interface ServicePage {
  readonly html: string
  /** To be sent as a header: only this very script and this very style take part, and only the service itself is asked. */
  readonly contentSecurityPolicy: string
}

/** The live page of the service of runs. It holds no data: what it shows it asks the service for, and writes as text. */
export function servicePage(): ServicePage {
  return { html, contentSecurityPolicy }
}

const contentSecurityPolicy = [
  `default-src 'none'`,
  `script-src '${scriptHash}'`,
  `style-src '${styleHash}'`,
  `connect-src 'self'`,
  `img-src data:`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
].join('; ')

const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>faultline: workflows and runs</title>
<style>${style}</style>
</head>
<body>
<noscript>This page needs JavaScript. The service answers at /api/workflows, /api/services and /api/runs without it.</noscript>
<script>${script}</script>
</body>
</html>
`
