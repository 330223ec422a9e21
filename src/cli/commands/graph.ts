import { Command, Option } from 'commander'
import { workflowDrawing } from '../graph/drawing.ts'
import { renderMermaid } from '../graph/mermaid.ts'
import { renderSvg } from '../graph/svg.ts'
import { print } from '../output.ts'
import { readWorkflowFile } from '../read-workflow.ts'

const renderers = { mermaid: renderMermaid, svg: renderSvg } as const

interface GraphOptions {
  readonly format: keyof typeof renderers
  readonly workflow?: string
}

export function graphCommand(): Command {
  return new Command('graph')
    .description('Draw a workflow definition.')
    .argument('<file>', 'workflow definition (YAML or JSON)')
    .addOption(
      new Option('--format <format>', 'how to draw it').choices(Object.keys(renderers)).default('mermaid'),
    )
    .option('--workflow <name>', 'which one, of a file that holds several')
    .action(async (file: string, { format, workflow }: GraphOptions) => {
      const source = await readWorkflowFile(file)
      const { definition } = await source.load(workflow)
      print(renderers[format](workflowDrawing(definition)))
    })
}
