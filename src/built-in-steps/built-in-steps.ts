import type { AgentPort, Agents } from '../ports/index.ts'
import { commandStep } from './command-step.ts'
import { httpStep } from './http-step.ts'
import { createServices } from './services.ts'
import type { Environment } from './services.ts'
import { verifyStep } from './verify-step.ts'

export const builtInStepNames = ['command', 'http', 'verify'] as const

interface BuiltInStepsOptions {
  /** Where `${env.NAME}` of a service finds its value. */
  readonly environment: Environment
}

export function isBuiltInStep(agent: string): boolean {
  return (builtInStepNames as readonly string[]).includes(agent)
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
  }
}

/** The given agents, and the built-in steps behind them: an agent of the user's by such a name replaces the step. */
export function withBuiltInSteps(agents: AgentPort, options: BuiltInStepsOptions): AgentPort {
  const builtIn: Agents = createBuiltInSteps(options)
  return {
    has: (name) => agents.has(name) || isBuiltInStep(name),
    names: [...agents.names, ...builtInStepNames.filter((name) => !agents.names.includes(name))],
    async invoke(call) {
      const { agent } = call.context
      return agents.has(agent) ? agents.invoke(call) : builtIn[agent]?.(call.context)
    },
  }
}
