import { Command, InvalidArgumentError, Option } from 'commander'
import type { LoopbackHost } from '../../server/index.ts'
import type { ServeOptions } from '../serve-options.ts'
import { stateDirectoryOption } from '../state-directory.ts'

const hosts: readonly LoopbackHost[] = ['127.0.0.1', 'localhost', '::1']

export function serveCommand(): Command {
  return new Command('serve')
    .description('Serve workflows and their runs over HTTP on this machine alone, with a live page.')
    .argument('<definitions...>', 'workflow definitions, or folders of them (YAML)')
    .option('--port <n>', 'where to listen; 0: any that is free', portOf, 8484)
    .addOption(new Option('--host <host>', 'an address of this machine').choices(hosts).default(hosts[0]))
    .option('--agents <module>', `module that exports 'agents' (default: faultline.agents.*)`)
    .option('--mock', 'let stand-ins produce every declared artifact')
    .option('--mock-delay <ms>', 'time every stand-in takes', wholeNumber, 0)
    .option('--grace <seconds>', 'how long runs that move may go on when the service ends', wholeNumber, 10)
    .addOption(stateDirectoryOption())
    .option('--force', 'let runs replace files that no run has produced')
    .action(async (definitions: readonly string[], options: ServeOptions) => {
      const { serveWorkflows } = await import('../serve-workflows.ts')
      process.exitCode = await serveWorkflows(definitions, options)
    })
}

function portOf(text: string): number {
  const port = wholeNumber(text)
  if (port <= 65_535) return port
  throw new InvalidArgumentError('it must be a whole number from 0 to 65535.')
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('it must be a whole number.')
}
