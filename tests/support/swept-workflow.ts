import { createDigest } from '../../src/adapters/node/index.ts'
import { createReferenceDriver, defineWorkflow, loadWorkflow } from '../../src/engine/index.ts'
import type { AgentWorkflow } from '../../src/engine/index.ts'
import { createOutside } from '../../src/harness/outside.ts'
import { agentPort } from '../../src/harness/prepare-session.ts'
import type { SweptWorkflow } from '../../src/harness/sweep/swept-workflow.ts'
import type { Agents } from '../../src/ports/index.ts'
import { KnownFiles } from '../../src/trace/index.ts'

/** A workflow as a sweep has its lives live it. */
export async function sweptWorkflow(source: AgentWorkflow, agents: Agents): Promise<SweptWorkflow> {
  return sweptSource(defineWorkflow(source), agents)
}

/** The same of one that was read from a text. */
export async function sweptSource(
  source: Parameters<typeof loadWorkflow>[0],
  agents: Agents,
): Promise<SweptWorkflow> {
  const { definition } = await loadWorkflow(source)
  return {
    definition,
    agents: agentPort(agents),
    gates: {},
    input: null,
    seed: 1,
    driver: createReferenceDriver(),
    digest: createDigest(),
    realWaitMs: 60_000,
    outside: createOutside({}, undefined),
    knownFiles: new KnownFiles(),
  }
}
