import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { workflowDrawing } from '../../../src/cli/graph/drawing.ts'
import { cellHeight, layOut } from '../../../src/cli/graph/layout.ts'
import type { Cell, LayoutLink } from '../../../src/cli/graph/layout.ts'
import { renderMermaid } from '../../../src/cli/graph/mermaid.ts'
import { renderSvg } from '../../../src/cli/graph/svg.ts'
import { loadWorkflow, workflowFromText } from '../../../src/engine/index.ts'

const acyclic = fc.integer({ min: 1, max: 14 }).chain((size) =>
  fc.record({
    widths: fc.array(fc.integer({ min: 1, max: 300 }), { minLength: size, maxLength: size }),
    links: fc.array(
      fc
        .tuple(fc.nat(size - 1), fc.nat(size - 1), fc.nat(200))
        .filter(([a, b]) => a !== b)
        .map(([a, b, labelWidth]): LayoutLink => ({ from: Math.min(a, b), to: Math.max(a, b), labelWidth })),
      { maxLength: size === 1 ? 0 : 30 },
    ),
  }),
)

function apart(left: Cell, right: Cell): boolean {
  return left.y !== right.y || left.x + left.width <= right.x || right.x + right.width <= left.x
}

test('a layout keeps everything apart and within the drawing, leads links down, and gives labels room', () => {
  fc.assert(
    fc.property(acyclic, ({ widths, links }) => {
      const layout = layOut(widths, links)
      const cells = [...layout.nodes, ...layout.ways.flat()]
      for (const [index, cell] of cells.entries()) {
        expect(cell.x).toBeGreaterThanOrEqual(0)
        expect(cell.x + cell.width).toBeLessThanOrEqual(layout.width)
        expect(cell.y + cellHeight).toBeLessThanOrEqual(layout.height)
        expect(cells.slice(index + 1).every((other) => apart(cell, other))).toBe(true)
      }
      for (const [index, { from, to, labelWidth }] of links.entries()) {
        const way = [layout.nodes[from], ...(layout.ways[index] ?? []), layout.nodes[to]] as readonly Cell[]
        const steps = way.slice(1).map((cell, place) => cell.y - (way[place] as Cell).y)
        expect(new Set(steps).size).toBe(1)
        expect(steps[0]).toBeGreaterThan(cellHeight)
        expect(way[1]?.width).toBeGreaterThanOrEqual(labelWidth)
      }
      expect(layOut(widths, links)).toEqual(layout)
    }),
    { seed: 20_261_121, numRuns: 300 },
  )
})

describe('text from a definition', () => {
  const drawing = {
    title: '<script>alert("&")</script>',
    nodes: [{ id: 'a"]; click n0 "javascript:x"', notes: ['<b>\u0000\n`x`'], shape: 'step' as const }],
    links: [{ from: 0, to: 0, label: '"--> <i>', kind: 'return' as const }],
  }

  test('is never markup of the flowchart', () => {
    expect(renderMermaid(drawing)).toBe(
      `flowchart TD\n` +
        `  n0["a#34;#93;#59; click n0 #34;javascript:x#34;<br/>#60;b#62;#0; #96;x#96;"]\n` +
        `  n0 -. "#34;--#62; #60;i#62;" .-> n0`,
    )
  })

  test('is never markup of the drawing, and what XML cannot hold is left out', () => {
    const svg = renderSvg(drawing)
    expect(svg).toContain('<title>&lt;script&gt;alert(&quot;&amp;&quot;)&lt;/script&gt;</title>')
    expect(svg).toContain('&lt;b&gt;\n`x`')
    expect(svg).not.toMatch(/<script|<b>|<i>/)
    expect(svg).not.toContain('\u0000')
  })
})

test('a drawing of thousands is refused with the format that takes them', async () => {
  const steps = Array.from({ length: 501 }, (_, index) => `  - { id: s${index}, agent: x }\n`)
  const { definition } = await loadWorkflow(workflowFromText(`id: f\nsteps:\n${steps.join('')}`, 'f.yaml'))
  expect(() => renderSvg(workflowDrawing(definition))).toThrow(/at most 500 steps.*'--format mermaid'/)
  expect(renderMermaid(workflowDrawing(definition)).split('\n')).toHaveLength(1 + 501 + 500)
})
