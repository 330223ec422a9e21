import { messageOf } from '../core/index.ts'
import type { JsonObject } from '../core/index.ts'
import type { StepDefinition } from '../definition/index.ts'
import { ConfigurationError } from '../ports/index.ts'
import type { AgentPort, Agents } from '../ports/index.ts'
import { commandStep, readCommandStep } from './command-step.ts'
import { httpStep, readHttpStep } from './http-step.ts'
import type { Environment } from './environment.ts'
import { createServices } from './services.ts'
import { readVerifyStep, verifyStep } from './verify-step.ts'

export const builtInStepNames = ['command', 'http', 'verify', 'trigger'] as const

interface BuiltInStepsOptions {
  /** Where `${env.NAME}` of a service finds its value. */
  readonly environment: Environment
}

export function isBuiltInStep(agent: string): agent is (typeof builtInStepNames)[number] {
  return (builtInStepNames as readonly string[]).includes(agent)
}

const readers: Readonly<
  Record<(typeof builtInStepNames)[number], (step: string, written: JsonObject) => unknown>
> = { command: readCommandStep, http: readHttpStep, verify: readVerifyStep, trigger: () => undefined }

/** What is wrong with the parameters of a built-in step, as far as can be told before their references are resolved. */
export function builtInStepProblem({
  id,
  agent,
  parameters,
}: Pick<StepDefinition, 'id' | 'agent' | 'parameters'>): string | undefined {
  if (!isBuiltInStep(agent) || JSON.stringify(parameters).includes('${')) return undefined
  try {
    readers[agent](id, parameters)
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

/** Made anew for every engine life: what is known of the health of services dies with it. */
function createBuiltInSteps({
  environment,
}: BuiltInStepsOptions): Readonly<Record<(typeof builtInStepNames)[number], Agents[string]>> {
  const services = createServices(environment)
  return {
    command: (context) => commandStep(context, environment),
    http: (context) => httpStep(context, services),
    verify: (context) => verifyStep(context, services),
    // Begins a graph: does nothing, and hands on what the run was given.
    trigger: ({ input }) => input,
  }
}

/** The given agents, and the built-in steps behind them: an agent of the user's by such a name replaces the step. */
export function withBuiltInSteps(agents: AgentPort, options: BuiltInStepsOptions): AgentPort {
  let builtIn: Agents | undefined
  return {
    has: (name) => agents.has(name) || isBuiltInStep(name),
    names: [...agents.names, ...builtInStepNames.filter((name) => !agents.names.includes(name))],
    async invoke(call) {
      const { agent } = call.context
      if (agents.has(agent)) return agents.invoke(call)
      const step = isBuiltInStep(agent) ? (builtIn ??= createBuiltInSteps(options))[agent] : undefined
      if (step !== undefined) return step(call.context)
      throw new ConfigurationError(`Step '${call.context.step}' names agent '${agent}', which was not given.`)
    },
  }
}
