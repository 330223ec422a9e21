import type { Drawing, DrawnLink, DrawnNode } from './drawing.ts'

/** A flowchart as https://mermaid.js.org draws it. */
export function renderMermaid({ nodes, links }: Drawing): string {
  const lines = [
    'flowchart TD',
    ...nodes.map((node, index) => `  n${index}${box(node)}`),
    ...links.map((link) => `  n${link.from} ${arrow(link)} n${link.to}`),
  ]
  return lines.join('\n')
}

const corners = { step: ['[', ']'], trigger: ['([', '])'], gated: ['{{', '}}'] } as const

function box({ id, notes, shape }: DrawnNode): string {
  const [open, close] = corners[shape]
  return `${open}"${[id, ...notes].map(escaped).join('<br/>')}"${close}`
}

function arrow({ label, kind }: DrawnLink): string {
  if (label === undefined) return '-->'
  return kind === 'return' ? `-. "${escaped(label)}" .->` : `-- "${escaped(label)}" -->`
}

/** Mermaid's own entities: text is shown as it is and never taken for markup. */
function escaped(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[^\p{L}\p{N} _.,:=()/+-]/gu, (sign) => `#${sign.codePointAt(0)};`)
}
