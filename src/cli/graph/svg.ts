import { FaultlineError } from '../../core/index.ts'
import type { Drawing, DrawnLink, DrawnNode } from './drawing.ts'
import { cellHeight, layOut } from './layout.ts'
import type { Cell, LayoutLink } from './layout.ts'

const characterWidth = 7.3
const longestText = 34
/** A larger drawing would be nothing to look at. */
const most = { nodes: 500, links: 2_000 } as const

/** A drawing that needs nothing else: no script, no font, nothing from outside. */
export function renderSvg({ title, nodes, links }: Drawing): string {
  if (nodes.length > most.nodes || links.length > most.links) {
    throw new FaultlineError(
      'CONFIGURATION_INVALID',
      `A drawing holds at most ${most.nodes} steps and ${most.links} dependencies; '--format mermaid' writes any number.`,
    )
  }
  const order = links.filter(({ kind }) => kind === 'order')
  const returns = links.filter(({ kind }) => kind === 'return')
  const layout = layOut(nodes.map(widthOf), order.map(spaceOf))
  const labelsAt = new Map<Cell, number>()
  const cellOf = (node: number): Cell => layout.nodes[node] as Cell
  // Returns leave and arrive on the right, each a little further out than the one before.
  const width = layout.width + (returns.length === 0 ? 0 : 40 + 16 * returns.length + widestLabel(returns))
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${number(width)} ${number(layout.height)}" width="${number(width)}" height="${number(layout.height)}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${style}</style>`,
    `<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>`,
    ...order.map((link, index) => drawLink(link, cellOf, layout.ways[index] ?? [], labelsAt)),
    ...returns.map((link, index) => drawReturn(link, cellOf, layout.width + 16 * index)),
    ...nodes.map((node, index) => drawNode(node, cellOf(index))),
    '</svg>',
  ]
  return lines.join('\n')
}

const style =
  'text{font:12px ui-monospace,monospace;fill:#1f2328;text-anchor:middle}' +
  '.note{font-size:11px;fill:#59636e}.label{font-size:11px;stroke:#fff;stroke-width:4px;paint-order:stroke}' +
  'rect{fill:#f6f8fa;stroke:#59636e}.trigger{fill:#ddf4ff}.gated{stroke-width:2.5;fill:#fff8c5}' +
  'path{fill:none;stroke:#59636e}marker path{fill:#59636e;stroke:none}.return{stroke-dasharray:5 4}'

function drawNode(node: DrawnNode, { x, y, width }: Cell): string {
  const middle = number(x + width / 2)
  const round = node.shape === 'trigger' ? cellHeight / 2 : 6
  return (
    `<g><title>${escaped([node.id, ...node.notes].join('\n'))}</title>` +
    `<rect class="${node.shape}" x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${cellHeight}" rx="${round}"/>` +
    `<text x="${middle}" y="${number(y + 20)}">${escaped(shortened(node.id))}</text>` +
    `<text class="note" x="${middle}" y="${number(y + 36)}">${escaped(shortened(noteOf(node)))}</text></g>`
  )
}

function drawLink(
  { from, to, label }: DrawnLink,
  cellOf: (node: number) => Cell,
  way: readonly Cell[],
  labelsAt: Map<Cell, number>,
): string {
  const middle = ({ x, width }: Cell): number => x + width / 2
  const source = cellOf(from)
  let x = middle(source)
  let y = source.y + cellHeight
  let path = `M${number(x)} ${number(y)}`
  for (const [index, cell] of [...way, cellOf(to)].entries()) {
    const half = (y + cell.y) / 2
    path += `C${number(x)} ${number(half)} ${number(middle(cell))} ${number(half)} ${number(middle(cell))} ${number(cell.y)}`
    x = middle(cell)
    y = cell.y + (index < way.length ? cellHeight : 0)
    if (index < way.length) path += `V${number(y)}`
  }
  return `<path d="${path}" marker-end="url(#tip)"/>${label === undefined ? '' : drawLabel(label, labelPlace())}`

  /** Above the first cell that the link comes to; above the labels that stand there already. */
  function labelPlace(): readonly [number, number] {
    const cell = way[0] ?? cellOf(to)
    const before = labelsAt.get(cell) ?? 0
    labelsAt.set(cell, before + 1)
    return [middle(cell), cell.y - 12 - 13 * before]
  }
}

function drawReturn({ from, to, label }: DrawnLink, cellOf: (node: number) => Cell, out: number): string {
  const source = cellOf(from)
  const target = cellOf(to)
  const start = [source.x + source.width, source.y + cellHeight * 0.65] as const
  const end = [target.x + target.width, target.y + cellHeight * 0.35] as const
  const path = `M${start.map(number).join(' ')}H${number(out)}V${number(end[1])}H${number(end[0])}`
  const labelAt = [out + 8 + ((label ?? '').length * characterWidth) / 2, (start[1] + end[1]) / 2] as const
  return `<path class="return" d="${path}" marker-end="url(#tip)"/>${drawLabel(label ?? '', labelAt)}`
}

function drawLabel(label: string, at: readonly [number, number]): string {
  return `<text class="label" x="${number(at[0])}" y="${number(at[1])}"><title>${escaped(label)}</title>${escaped(shortened(label))}</text>`
}

function widthOf(node: DrawnNode): number {
  const longest = Math.max(shortened(node.id).length, shortened(noteOf(node)).length)
  return Math.max(80, Math.round(longest * characterWidth) + 24)
}

function spaceOf({ from, to, label }: DrawnLink): LayoutLink {
  return { from, to, labelWidth: label === undefined ? 0 : shortened(label).length * characterWidth }
}

function widestLabel(links: readonly DrawnLink[]): number {
  return Math.max(...links.map(({ label }) => Math.round((label ?? '').length * characterWidth)))
}

function noteOf({ notes }: DrawnNode): string {
  return notes.join(', ')
}

function shortened(text: string): string {
  return text.length <= longestText ? text : `${text.slice(0, longestText - 1)}…`
}

function number(value: number): string {
  return String(Math.round(value * 10) / 10)
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Characters that XML cannot hold are left out. */
/** For text and attributes of XML and HTML. */
export function escaped(text: string): string {
  return text
    .replaceAll(/[^\t\n\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '')
    .replaceAll(/[&<>"]/g, (sign) => entities[sign] as string)
}
