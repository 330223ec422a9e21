import { createDigest, createNodeFiles, createSystemClock, createTurn } from '../adapters/node/index.ts'
import { createVirtualClock, createVirtualFiles } from '../adapters/virtual/index.ts'
import { defaultSeed, FaultlineError, seededRandom, suggestion } from '../core/index.ts'
import type { FaultPlan, WorkflowDefinition } from '../definition/index.ts'
import { definitionDefaults } from '../definition/index.ts'
import {
  createReferenceDriver,
  loadWorkflow,
  missingRequiredFile,
  workflowFromText,
} from '../engine/index.ts'
import type { LoadedWorkflow } from '../engine/index.ts'
import { checkFaultPlan, createFaultRecorder, faultPlan } from '../fault-injection/index.ts'
import type { AgentPort, Agents, FilesPort } from '../ports/index.ts'
import type { LogEntry } from '../trace/index.ts'
import type {
  Project,
  SessionLimits,
  WorkflowInput,
  WorkflowSession,
  WorkflowSessionOptions,
} from './contract.ts'
import { sessionIds } from './engine-life.ts'
import { checkGateControllers, createGateControllers } from './gate-controllers.ts'
import { mockAgent } from './mock-agents.ts'
import { createProject, openProject, registerSession } from './project.ts'
import { Session } from './session.ts'
import { createWorld } from './world.ts'

const defaultRealWaitMs = 2_000

/**
 * Starts a workflow under the hand of the caller: nothing has run when this resolves, event 0 is on disk.
 *
 * @example
 * const session = await runWorkflowStepByStep('workflows/release.yaml', { project, faults: [agentError('review')] })
 * await session.runToEnd()
 * @throws FaultlineError for anything that is wrong before the first step: definition, agents, plan, required files.
 */
export async function runWorkflowStepByStep(
  workflow: WorkflowInput,
  options: WorkflowSessionOptions = {},
): Promise<WorkflowSession> {
  const project = await projectFor(options)
  const plan = faultPlan(options.faults)
  const seed = resolveSeed(options, plan, project)
  const loaded = await loadFor(workflow, project)
  const definition = withLimits(loaded.definition, options.limits)
  const digest = createDigest()
  const agents = agentPort(options.agents, digest)
  checkAgents(agents, loaded)
  checkFaultPlan(plan, definition)
  checkGateControllers(options.gates ?? {}, definition)
  await checkRequiredFiles(loaded, project)

  const disk = options.disk ?? 'folder'
  const storage = await storageFor(disk, project)
  const virtualClock = options.clock === 'real' ? undefined : createVirtualClock()
  const correlationId =
    options.correlationId ??
    project.correlationId ??
    `faultline-${seededRandom(seed).fork('correlation').hex(8)}`
  const logs: LogEntry[] = []
  const random = seededRandom(seed).fork('session')
  const session = new Session({
    world: {
      driver: options.driver ?? createReferenceDriver(),
      files: storage.files,
      simulatedFiles: disk === 'simulated',
      projectFolder: disk === 'simulated' ? undefined : project.folder,
      clock: virtualClock ?? createSystemClock(),
      virtualClock,
      turn: createTurn(),
      digest,
      ids: sessionIds(random.fork('ids')),
      nonce: `harness-${random.hex(8)}`,
      agents,
      gates: createGateControllers(options.gates ?? {}),
      faults: createFaultRecorder(plan),
      world: createWorld(),
      observer: { event() {}, log: (entry) => logs.push(entry) },
      realWaitMs: options.limits?.realWaitMs ?? defaultRealWaitMs,
    },
    project,
    definition,
    input: options.input ?? null,
    seed,
    correlationId,
    plan,
    logs,
    clock: virtualClock === undefined ? 'real' : 'virtual',
    disk,
    readFile: async (path) => storage.files.perform({ op: 'read', path }),
    release: storage.release,
  })
  await session.begin()
  registerSession(project, session)
  return session
}

async function projectFor({ project }: WorkflowSessionOptions): Promise<Project> {
  if (project === undefined) return createProject({})
  return typeof project === 'string' ? openProject(project) : project
}

async function loadFor(workflow: WorkflowInput, project: Project): Promise<LoadedWorkflow> {
  if (typeof workflow !== 'string') return loadWorkflow(workflow)
  if (!(await project.exists(workflow))) {
    const known = (await project.list()).filter((path) => /\.(ya?ml|json)$/.test(path))
    throw new FaultlineError(
      'FILE_NOT_FOUND',
      `There is no workflow file '${workflow}' in the project. ${suggestion(workflow, known)}`,
      {
        details: { path: workflow },
      },
    )
  }
  return loadWorkflow(workflowFromText(await project.readText(workflow), workflow))
}

/** Replay hands its seed in through the project; a plan's own seed and the option come next, the fixture's last. */
function resolveSeed(options: WorkflowSessionOptions, plan: FaultPlan, project: Project): number | string {
  const { seed } = options
  if (seed !== undefined && plan.seed !== undefined && seed !== plan.seed) {
    throw new FaultlineError(
      'SEED_CONFLICT',
      `Two different seeds were given: ${JSON.stringify(seed)} as an option and ${JSON.stringify(plan.seed)} in the fault plan. ` +
        `Give one of them.`,
      { details: { option: seed, plan: plan.seed } },
    )
  }
  return plan.seed ?? seed ?? project.seed ?? defaultSeed
}

function withLimits(definition: WorkflowDefinition, limits: SessionLimits = {}): WorkflowDefinition {
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value === 'number' && value > 0) continue
    throw new FaultlineError(
      'CONFIGURATION_INVALID',
      `limits.${name} must be more than 0 milliseconds, and it is ${String(value)}.`,
    )
  }
  const { stepTimeoutMs, workflowTimeoutMs } = limits
  if (stepTimeoutMs === undefined && workflowTimeoutMs === undefined) return definition
  return {
    ...definition,
    limits:
      workflowTimeoutMs === undefined
        ? definition.limits
        : { ...definition.limits, timeoutMs: workflowTimeoutMs },
    steps: definition.steps.map((step) =>
      stepTimeoutMs === undefined || step.timeoutMs !== definitionDefaults.stepTimeoutMs
        ? step
        : { ...step, timeoutMs: stepTimeoutMs },
    ),
  }
}

function agentPort(agents: Agents | undefined, digest: ReturnType<typeof createDigest>): AgentPort {
  if (agents === undefined) {
    const mock = mockAgent({ digest })
    return { has: () => true, names: [], invoke: async ({ context }) => mock(context) }
  }
  return {
    has: (name) => Object.hasOwn(agents, name),
    names: Object.keys(agents),
    invoke: async ({ context }) => agents[context.agent]?.(context),
  }
}

function checkAgents(agents: AgentPort, loaded: LoadedWorkflow): void {
  for (const { id, agent } of loaded.definition.steps) {
    if (agents.has(agent)) continue
    const place = loaded.locate(`steps.${id}.agent`)
    throw new FaultlineError(
      'UNKNOWN_AGENT',
      `${place === undefined ? '' : `${place}: `}Step '${id}' names agent '${agent}', which was not given. ${suggestion(agent, agents.names)}`,
      { details: { step: id, agent } },
    )
  }
}

async function checkRequiredFiles(loaded: LoadedWorkflow, project: Project): Promise<void> {
  const files = await project.list()
  const missing = missingRequiredFile(loaded, (path) =>
    files.some((file) => file === path || file.startsWith(path)),
  )
  if (missing !== undefined) throw missing
}

interface Storage {
  readonly files: FilesPort
  readonly release: () => Promise<void>
}

async function storageFor(disk: 'folder' | 'simulated', project: Project): Promise<Storage> {
  if (disk === 'simulated') {
    const initial: Record<string, Uint8Array> = {}
    for (const path of await project.list({ all: true })) initial[path] = await project.read(path)
    return { files: createVirtualFiles(initial), release: async () => {} }
  }
  const files = createNodeFiles(project.folder)
  return { files, release: async () => files.closeAll() }
}
