import type { MatrixCell, SweepReport } from '../../harness/index.ts'
import { escaped } from '../graph/svg.ts'

/** Nothing but the styles in the page itself: no script, no picture, no address. */
const policy = "default-src 'none'; style-src 'unsafe-inline'"

const style =
  'body{font:14px system-ui,sans-serif;margin:2rem;color:#1f2328;background:#fff}' +
  'table{border-collapse:collapse;margin:0 0 2rem}caption{text-align:left;font-weight:600;padding:.5rem 0}' +
  'th,td{padding:2px 8px;border:1px solid #d1d9e0;font-size:12px}tbody th{text-align:left;font-family:ui-monospace,monospace;font-weight:400}' +
  'thead th{font-weight:600}td{text-align:center}.survived{background:#dafbe1}.deduped{background:#eff2f5;color:#59636e}.found{background:#ffcecb;font-weight:700}'

/** The sign repeats what the colour says. */
const signs: Readonly<Record<MatrixCell, string>> = { survived: '✓', deduped: '=', found: '✗' }

/** A page that opens from disk: every point that was hit, and what became of the run for each fault that was tried there. */
export function renderHeatMap(report: SweepReport): string {
  const { workflowId, tier, seed, complete, findings } = report
  const title = `Sweep of ${workflowId}`
  const families = Object.entries(report.families).map(([family, counts]) => {
    const rows = report.matrix.filter((row) => row.family === family)
    const words = [...new Set(rows.flatMap(({ cells }) => Object.keys(cells)))]
    const head = ['point', ...words].map((word) => `<th scope="col">${escaped(word)}</th>`).join('')
    const body = rows.map(
      ({ at, cells }) =>
        `<tr><th scope="row">${escaped(at)}</th>${words.map((word) => cellOf(cells[word])).join('')}</tr>`,
    )
    const caption = `${family}: ${counts.hit} of ${counts.points} points hit, ${counts.scenarios} scenarios, ${counts.deduped} deduped`
    return `<table><caption>${escaped(caption)}</caption><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table>`
  })
  const sentences = findings.flatMap(({ violations }) =>
    violations.map(({ invariant, sentence }) => `${invariant}: ${sentence}`),
  )
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    `<title>${escaped(title)}</title><style>${style}</style></head><body>`,
    `<h1>${escaped(title)}</h1>`,
    `<p>Tier ${escaped(tier)}, seed ${escaped(String(seed))}; ${findings.length} findings; ${complete ? 'every point was tried' : 'not every point was tried'}.</p>`,
    `<p>${Object.entries(signs)
      .map(([cell, sign]) => `<span class="${cell}">${sign} ${cell}</span>`)
      .join(' ')}</p>`,
    ...families,
    sentences.length === 0
      ? ''
      : `<h2>Findings</h2><ul>${[...new Set(sentences)].map((text) => `<li>${escaped(text)}</li>`).join('')}</ul>`,
    '</body></html>',
    '',
  ].join('\n')
}

function cellOf(cell: MatrixCell | undefined): string {
  return cell === undefined ? '<td></td>' : `<td class="${cell}" title="${cell}">${signs[cell]}</td>`
}
