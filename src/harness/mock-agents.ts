import { createDigest } from '../adapters/node/index.ts'
import type { DigestPort, Agent, AgentContext, AgentOutput } from '../ports/index.ts'
import { covers, type JsonObject } from '../core/index.ts'
import { mockContent } from './mock-content.ts'

export interface MockAgentOptions {
  /** Time every call takes, in milliseconds on the run's clock. Default 0. */
  readonly delayMs?: number
}

/**
 * An agent that can perform any step of any workflow: it reads everything the step requires, writes everything the step
 * declares (at least one file into a folder) and meets every threshold.
 *
 * What it writes depends on workflow, step, seed and the content of what it read, and on nothing else: not on run id, visit,
 * attempt or time. So two runs can be compared byte by byte, and a step that ran on wrong inputs shows.
 */
export function mockAgent(options: MockAgentOptions = {}): Agent {
  const { delayMs = 0 } = options
  const digest = createDigest()
  return async (context) => {
    if (delayMs > 0) await context.clock.sleep(delayMs)
    const inputs = await digestInputs(context, digest)
    const artifacts: string[] = []
    for (const declared of context.creates) {
      const path = declared.endsWith('/') ? `${declared}${context.step}.md` : declared
      await context.artifacts.write(path, mockContent({ context, path, inputs }))
      artifacts.push(path)
    }
    return outputOf(context, inputs, artifacts, digest)
  }
}

/** SHA-256 of every file that the step requires, by path. */
async function digestInputs(context: AgentContext, digest: DigestPort): Promise<Record<string, string>> {
  const inputs: Record<string, string> = {}
  for (const path of await inputPaths(context)) {
    inputs[path] = digest.sha256(await context.artifacts.read(path))
  }
  return inputs
}

async function inputPaths(context: AgentContext): Promise<readonly string[]> {
  const paths = new Set<string>()
  for (const required of context.requires) {
    if (!required.endsWith('/')) {
      paths.add(required)
      continue
    }
    for (const path of await context.artifacts.list(required.slice(0, -1))) {
      // What the step itself left there on an earlier visit is no input: a second visit must write the same again.
      if (!context.creates.some((declared) => covers(declared, path))) paths.add(path)
    }
  }
  return [...paths].sort()
}

function outputOf(
  context: AgentContext,
  inputs: Readonly<Record<string, string>>,
  artifacts: readonly string[],
  digest: DigestPort,
): AgentOutput {
  const scores: Record<string, number> = {}
  for (const [name, threshold] of Object.entries(context.thresholds)) {
    const draw = digest.sha256(`${context.workflowId}/${context.step}/${context.seed}/${name}`)
    // Up to 0.9 above, in whole tenths; rounding must not fall below the threshold again.
    const above = Math.round((threshold + (Number.parseInt(draw.slice(0, 4), 16) % 10) / 10) * 1_000) / 1_000
    scores[name] = Math.max(threshold, above)
  }
  const output: JsonObject = {
    summary: `${context.agent} performed ${context.step}: read ${count(Object.keys(inputs).length)}, wrote ${count(artifacts.length)}`,
    ...(Object.keys(scores).length === 0 ? {} : { scores }),
    artifacts: [...artifacts],
  }
  return output
}

function count(files: number): string {
  return files === 1 ? '1 file' : `${files} files`
}
