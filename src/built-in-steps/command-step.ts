import type { JsonObject, JsonValue } from '../core/index.ts'
import { StepFailure } from '../ports/index.ts'
import type { AgentContext, ProcessCommand, ProcessResult } from '../ports/index.ts'
import { invalidStep, ParameterReader } from './parameters.ts'
import { isSecretName, withoutSecrets } from './secrets.ts'
import type { Environment } from './services.ts'

const known = ['command', 'shell', 'cwd', 'env', 'capBytes', 'killGrace']
const longestExcerpt = 600

/**
 * Runs a program in the project. It writes in place: what the step creates is digested once the program has ended, so that until
 * then nobody takes a file for finished.
 */
export async function commandStep(context: AgentContext, environment: Environment): Promise<JsonObject> {
  const command = readCommandStep(context.step, context.parameters)
  const secrets = secretsOf(command, environment)
  const result = await context.processes.run(command)
  const clean = (text: string): string => withoutSecrets(text, secrets)
  if (result.exitCode !== 0) throw ended(command, result, clean)
  await adoptCreated(context)
  return { exitCode: 0, stdout: clean(result.stdout), stderr: clean(result.stderr) }
}

/** @throws StepFailure of kind `validation` */
export function readCommandStep(step: string, written: JsonObject): ProcessCommand {
  const parameters = new ParameterReader(step, written, known)
  const { passEnv, setEnv } = environmentOf(parameters)
  const cwd = parameters.text('cwd')
  const capBytes = parameters.wholeNumber('capBytes')
  const killGraceMs = parameters.durationMs('killGrace')
  return {
    command: wordsOf(parameters, step),
    passEnv,
    setEnv,
    ...(cwd === undefined ? {} : { cwd }),
    ...(capBytes === undefined ? {} : { capBytes }),
    ...(killGraceMs === undefined ? {} : { killGraceMs }),
  }
}

/** Values that the program may print and nobody should see. */
function secretsOf(
  { passEnv = [], setEnv = {} }: ProcessCommand,
  environment: Environment,
): readonly string[] {
  const passed = passEnv.filter(isSecretName).flatMap((name) => environment[name] ?? [])
  const set = Object.entries(setEnv).flatMap(([name, value]) => (isSecretName(name) ? [value] : []))
  return [...passed, ...set]
}

function wordsOf(parameters: ParameterReader, step: string): readonly string[] {
  if (!parameters.has('command')) throw invalidStep(step, `needs the parameter 'command'`)
  if (parameters.flag('shell')) return ['sh', '-c', parameters.requiredText('command')]
  if (typeof parameters.value('command') === 'string')
    throw parameters.invalid('command', `a list of program and arguments (a text needs 'shell: true')`)
  const words = parameters.texts('command') ?? []
  if (words[0] === undefined || words[0] === '') throw parameters.invalid('command', `a list with a program`)
  return words
}

/** A list of names passes variables on; in a map, `true` does, and a text is the value. */
function environmentOf(parameters: ParameterReader): {
  readonly passEnv: readonly string[]
  readonly setEnv: Readonly<Record<string, string>>
} {
  if (Array.isArray(parameters.value('env'))) return { passEnv: parameters.texts('env') ?? [], setEnv: {} }
  const written = parameters.textMap('env') ?? {}
  const raw = (parameters.value('env') ?? {}) as Readonly<Record<string, JsonValue>>
  const entries = Object.entries(written)
  return {
    passEnv: entries.flatMap(([name]) => (raw[name] === true ? [name] : [])),
    setEnv: Object.fromEntries(entries.filter(([name]) => typeof raw[name] !== 'boolean')),
  }
}

/** What stands under the declared names; one that is missing is for the engine to judge. */
async function adoptCreated({ creates, artifacts }: AgentContext): Promise<void> {
  for (const declared of creates) {
    const paths = declared.endsWith('/') ? await artifacts.list(declared.slice(0, -1)) : [declared]
    for (const path of paths) await artifacts.adopt(path)
  }
}

/** As one would type it at a prompt; what a shell runs is shown without the shell. */
function asTyped([program = '', option, ...rest]: readonly string[]): string {
  if (program === 'sh' && option === '-c' && rest.length === 1) return rest.join()
  return [program, ...(option === undefined ? [] : [option]), ...rest]
    .map((word) => (/^[\w%+,./:=@-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ')
}

function ended(
  { command }: ProcessCommand,
  { exitCode, signal, stdout, stderr }: ProcessResult,
  clean: (text: string) => string,
): StepFailure {
  const how = exitCode === null ? `was ended by ${signal}` : `ended with exit code ${exitCode}`
  const said = (stderr.trim() === '' ? stdout : stderr).trim()
  const shown = said.length <= longestExcerpt ? said : `...${said.slice(-longestExcerpt)}`
  return new StepFailure(
    clean(`\`${asTyped(command.map(clean))}\` ${how}${shown === '' ? '.' : `: ${shown}`}`),
    {
      kind: 'process',
      category: 'transient',
      code: exitCode === null ? String(signal) : `EXIT_${exitCode}`,
    },
  )
}
