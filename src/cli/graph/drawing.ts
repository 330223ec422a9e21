import type { WorkflowDefinition } from '../../definition/index.ts'

/** What there is to draw of a workflow, whatever it is drawn with. Nodes are known by their index. */
export interface Drawing {
  readonly title: string
  readonly nodes: readonly DrawnNode[]
  readonly links: readonly DrawnLink[]
}

export interface DrawnNode {
  readonly id: string
  /** Who performs it, and on what condition. */
  readonly notes: readonly string[]
  readonly shape: 'step' | 'trigger' | 'gated'
}

export interface DrawnLink {
  readonly from: number
  readonly to: number
  readonly label: string | undefined
  /** `return`: where a failed gate sends the work back to. */
  readonly kind: 'order' | 'return'
}

export function workflowDrawing({ name, steps, edges }: WorkflowDefinition): Drawing {
  const indexOf = new Map(steps.map(({ id }, index) => [id, index]))
  const at = (id: string): number => indexOf.get(id) as number
  const order = edges.map(({ from, to, condition }): DrawnLink => {
    return { from: at(from), to: at(to), label: condition, kind: 'order' }
  })
  const returns = steps.flatMap(({ gate }, from): readonly DrawnLink[] =>
    gate?.onFail === undefined
      ? []
      : [{ from, to: at(gate.onFail), label: `gate fails, at most ${gate.maxLoops}`, kind: 'return' }],
  )
  return {
    title: name,
    nodes: steps.map(({ id, agent, service, type, gate, condition }) => ({
      id,
      notes: [
        service === undefined ? agent : `${agent} on ${service}`,
        ...(condition === undefined ? [] : [`if ${condition}`]),
      ],
      shape: type === 'trigger' ? 'trigger' : gate === undefined ? 'step' : 'gated',
    })),
    links: [...order, ...returns],
  }
}
