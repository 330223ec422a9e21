import { agentsModuleNames, findAgentsModule, systemEnvironment } from '../adapters/node/index.ts'
import { createRedactor } from '../bundle/index.ts'
import { defaultSeed, isJsonObject } from '../core/index.ts'
import type { JsonValue } from '../core/index.ts'
import { definitionDefaults } from '../definition/index.ts'
import type { WorkflowDefinition } from '../definition/index.ts'
import { stateFolder, storeLayout } from '../engine/index.ts'
import type { ReadWorkflow } from '../engine/index.ts'
import { bundlesFolder } from './bundles-folder.ts'
import { print } from './output.ts'
import { readDefinitions } from './read-definitions.ts'
import { aligned } from './render-state.ts'

interface Asked {
  readonly definitions: readonly string[]
  readonly agents: string | undefined
  readonly stateDirectory: string | undefined
  /** What commander calls the source of an option. */
  readonly stateDirectoryIsFrom: string | undefined
  readonly json: boolean
}

/** One value that is in effect. */
interface Setting {
  readonly name: string
  readonly value: JsonValue
  /** An option, a variable, a place in a file, or `default`. */
  readonly from: string
}

interface ShownConfiguration {
  readonly folder: readonly Setting[]
  readonly workflows: readonly {
    readonly workflow: string
    readonly file: string
    readonly settings: readonly Setting[]
  }[]
}

export async function showConfiguration(asked: Asked): Promise<void> {
  const folder = process.cwd()
  const defined = await readDefinitions(asked.definitions)
  const redactor = createRedactor({ environment: systemEnvironment() })
  const shown: ShownConfiguration = {
    folder: folderSettings(folder, asked),
    workflows: defined.map(({ workflow, file }) => ({
      workflow: workflow.definition.id,
      file,
      settings: workflowSettings(workflow, file, redactor.json(workflow.definition)),
    })),
  }
  print(asked.json ? JSON.stringify(shown, null, 2) : rendered(shown))
}

function folderSettings(folder: string, asked: Asked): readonly Setting[] {
  const { stateDirectory = stateFolder, stateDirectoryIsFrom } = asked
  const { state, runs, logs } = storeLayout({ stateDirectory })
  const from =
    stateDirectoryIsFrom === 'cli'
      ? '--state-dir'
      : stateDirectoryIsFrom === 'env'
        ? 'WORKFLOW_STATE_DIRECTORY'
        : 'default'
  return [
    { name: 'project', value: folder, from: 'the current folder' },
    { name: 'state directory', value: state, from },
    { name: 'runs', value: runs, from: 'in the state directory' },
    { name: 'logs', value: logs, from: 'in the state directory' },
    { name: 'bundles', value: bundlesFolder, from: 'default' },
    agentsSetting(folder, asked.agents),
    { name: 'seed', value: defaultSeed, from: 'default' },
  ]
}

function agentsSetting(folder: string, named: string | undefined): Setting {
  if (named !== undefined) return { name: 'agents', value: named, from: '--agents' }
  const found = findAgentsModule(folder)
  if (found !== undefined) return { name: 'agents', value: found, from: 'found in the project' }
  return { name: 'agents', value: null, from: `no ${agentsModuleNames.join(', ')} in the project` }
}

/** @param definition without its secrets */
function workflowSettings(
  workflow: ReadWorkflow,
  file: string,
  definition: WorkflowDefinition,
): readonly Setting[] {
  const { version, limits, onStepFailure = 'stop', rollback = false, services = {}, steps } = definition
  return [
    setting(workflow, 'version', version, definitionDefaults.version),
    setting(
      workflow,
      'limits.maxConcurrentSteps',
      limits.maxConcurrentSteps,
      definitionDefaults.maxConcurrentSteps,
    ),
    setting(workflow, 'limits.timeoutMs', limits.timeoutMs ?? null, null),
    setting(workflow, 'onStepFailure', onStepFailure, 'stop'),
    setting(workflow, 'rollback', rollback, false),
    ...Object.entries(services).flatMap(([name, settings]) =>
      leaves(`services.${name}`, settings).map(([path, value]) => ({ name: path, value, from: file })),
    ),
    ...steps.flatMap((step) => {
      const path = `steps.${step.id}`
      const { stepTimeoutMs, retries, retryDelayMs } = definitionDefaults
      return [
        setting(workflow, `${path}.agent`, step.agent, undefined, step.type === undefined ? 'agent' : 'type'),
        ...(step.service === undefined ? [] : [setting(workflow, `${path}.service`, step.service)]),
        setting(workflow, `${path}.condition`, step.condition ?? null, null),
        setting(workflow, `${path}.retries`, step.retries, retries),
        setting(workflow, `${path}.retryDelayMs`, step.retryDelayMs, retryDelayMs),
        setting(workflow, `${path}.timeoutMs`, step.timeoutMs, stepTimeoutMs),
        setting(workflow, `${path}.maxDurationMs`, step.maxDurationMs ?? null, null),
      ]
    }),
  ]
}

/** Where a value is not written at its own place, it is the default, or comes from the settings that all steps share. */
function setting(
  workflow: ReadWorkflow,
  name: string,
  value: JsonValue,
  usual?: JsonValue,
  writtenAs = name.split('.').at(-1) ?? name,
): Setting {
  const written = workflow.locate(name) ?? workflow.locate(name.replace(/[^.]+$/, writtenAs))
  if (written !== undefined) return { name, value, from: written }
  if (value === usual) return { name, value, from: 'default' }
  const settings = workflow.locate('settings')
  return { name, value, from: settings === undefined ? 'the definition' : `settings (${settings})` }
}

function leaves(path: string, value: JsonValue): readonly (readonly [path: string, value: JsonValue])[] {
  if (!isJsonObject(value)) return [[path, value]]
  return Object.entries(value).flatMap(([key, member]) => leaves(`${path}.${key}`, member ?? null))
}

function rendered({ folder, workflows }: ShownConfiguration): string {
  return [
    ...rows(folder),
    ...workflows.flatMap(({ workflow, file, settings }) => [
      '',
      `workflow ${workflow}  (${file})`,
      ...rows(settings),
    ]),
  ].join('\n')
}

function rows(settings: readonly Setting[]): readonly string[] {
  const cells = settings.map(({ name, value, from }) => [
    name,
    value === null ? '-' : typeof value === 'string' ? value : JSON.stringify(value),
    from,
  ])
  return aligned(cells, 3).map((line) => `  ${line.trimEnd()}`)
}
