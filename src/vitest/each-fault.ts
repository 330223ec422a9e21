import { describe } from 'vitest'
import type { TestAPI, TestContext, TestOptions } from 'vitest'
import { FaultlineError } from '../core/index.ts'
import type { WorkflowDefinition } from '../definition/index.ts'
import type { WorkflowSource } from '../engine/index.ts'
import type { Fault, FaultKind } from '../fault-injection/index.ts'
import { settings } from './worker-settings.ts'

/** Which faults `test.eachFault` makes tests of, beside Vitest's own options for each of them (`timeout`, `tags`, `retry`). */
export interface EachFaultOptions extends TestOptions {
  /** The template of the tests' projects; needed to find a workflow that is given by its path. */
  readonly template?: string
  /** Default all that fit the workflow. */
  readonly faults?: readonly FaultKind[]
  /** Ids of the steps to break. Default all. */
  readonly steps?: readonly string[]
}

export type EachFaultBody<C> = (fault: Fault, context: C & TestContext) => unknown

/**
 * One test for every single fault of a workflow, named as the command line writes it: `agent-error:review,moment=after`. The
 * workflow is read when tests are collected, and nothing of it is run.
 *
 * @example
 * test.eachFault('workflows/release.yaml', { template: 'medium' }, async (fault, { project, agents }) => {
 *   const session = await runWorkflowStepByStep('workflows/release.yaml', { project, agents, faults: [fault] })
 * })
 */
export interface EachFault<C> {
  (workflow: string, options: EachFaultOptions & { readonly template: string }, body: EachFaultBody<C>): void
  (workflow: WorkflowSource, options: EachFaultOptions, body: EachFaultBody<C>): void
}

export function eachFaultOf<C>(test: TestAPI<C>): EachFault<C> {
  return (workflow: string | WorkflowSource, options: EachFaultOptions, body: EachFaultBody<C>): void => {
    const { template, faults: kinds, steps, ...testOptions } = options
    // Vitest waits for the body of a suite, so that the tests are there before any is run.
    describe(`every single fault of ${nameOf(workflow)}`, async () => {
      if (template !== undefined) test.override('template' as never, template as never)
      const definition = await definitionOf(workflow, template)
      const { everyFault } = await import('../fault-injection/index.ts')
      const chosen = everyFault(definition).filter(
        ({ fault, at }) => (kinds?.includes(fault) ?? true) && (steps?.includes(stepOf(at)) ?? true),
      )
      if (chosen.length === 0) throw noFault(nameOf(workflow), options)
      for (const fault of chosen) test.for([fault])(faultName(fault), testOptions, body as never)
    })
  }
}

/** As `--fault` takes it. */
export function faultName({ fault, at, ...rest }: Fault): string {
  const params = 'params' in rest ? Object.entries(rest.params ?? {}) : []
  return [`${fault}:${stepOf(at)}`, ...params.map(([name, value]) => `${name}=${String(value)}`)].join()
}

async function definitionOf(
  workflow: string | WorkflowSource,
  template: string | undefined,
): Promise<WorkflowDefinition> {
  if (typeof workflow !== 'string') {
    const { loadWorkflow } = await import('../engine/index.ts')
    return (await loadWorkflow(workflow)).definition
  }
  if (template === undefined) {
    throw new FaultlineError(
      'CONFIGURATION_INVALID',
      `test.eachFault finds '${workflow}' in a template: name it in the options, as in { template: 'medium' }.`,
    )
  }
  const { createProject, loadProjectWorkflow } = await import('../harness/index.ts')
  const { templates } = settings()
  const project = await createProject({
    template,
    storage: 'memory',
    ...(templates === null ? {} : { templates }),
  })
  return (await loadProjectWorkflow(workflow, project)).definition
}

function nameOf(workflow: string | WorkflowSource): string {
  if (typeof workflow === 'string') return workflow
  const { value, file } = workflow
  const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined
  return typeof id === 'string' ? id : (file ?? 'a workflow')
}

function stepOf(at: Fault['at']): string {
  return typeof at === 'string' ? at : at.step
}

function noFault(name: string, { faults = [], steps = [] }: EachFaultOptions): FaultlineError {
  return new FaultlineError(
    'CONFIGURATION_INVALID',
    `test.eachFault makes no test of ${name}: it has no fault of the kinds and steps that were asked for (${[...faults, ...steps].join(', ')}).`,
  )
}
