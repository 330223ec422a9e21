import { Command } from 'commander'
import { stateDirectoryOption } from '../state-directory.ts'
import type { StateDirectoryOption } from '../state-directory.ts'

interface ConfigOptions extends StateDirectoryOption {
  readonly agents?: string
  readonly json?: boolean
}

export function configCommand(): Command {
  return new Command('config').description('Look at the configuration.').addCommand(showCommand())
}

function showCommand(): Command {
  const command = new Command('show')
    .description(
      'Show what is in effect in this folder, and where each value comes from; secrets are left out.',
    )
    .argument('[definitions...]', 'workflow definitions, or folders of them (YAML), to show as well')
    .option('--agents <module>', `module that exports 'agents' (default: faultline.agents.*)`)
    .addOption(stateDirectoryOption())
    .option('--json', 'print it as JSON')
  return command.action(async (definitions: readonly string[], options: ConfigOptions) => {
    const { showConfiguration } = await import('../show-configuration.ts')
    const { agents, json, stateDir } = options
    await showConfiguration({
      definitions,
      agents,
      json: json === true,
      stateDirectory: stateDir,
      stateDirectoryIsFrom: command.getOptionValueSource('stateDir'),
    })
  })
}
