import {
  containedPath,
  decodeUtf8,
  encodeUtf8,
  formatStepKey,
  idempotencyKey,
  joinPath,
  seededRandom,
  undoKey,
} from '../../core/index.ts'
import type { JsonObject, JsonValue, MaybePromise, SeededRandom } from '../../core/index.ts'
import { ConfigurationError, perform } from '../../ports/index.ts'
import type {
  AgentClock,
  AgentContext,
  AgentService,
  ArtifactsContext,
  ClockPort,
  DigestPort,
  FileProgram,
  HttpClient,
  HttpPort,
  ProcessRunner,
} from '../../ports/index.ts'
import { adoptArtifact, stageArtifact } from '../store/artifact-commit.ts'
import { reservedFolder } from '../store/layout.ts'
import type { StoreLayout } from '../store/layout.ts'
import type { Attempt } from './attempt.ts'
import { httpClient } from './http-client.ts'
import { processRunner } from './process-runner.ts'
import type { ProcessServices } from './process-runner.ts'

/** What the engine lends to the context of an attempt. */
export interface ContextServices {
  readonly clock: ClockPort
  readonly digest: DigestPort
  /** Runs a file program when no other is running. */
  run<T>(program: FileProgram<T>): MaybePromise<T>
  readonly durableFolders: Set<string>
  log(attempt: Attempt, message: string): void
  readonly store: StoreLayout
  readonly workflowId: string
  readonly runId: string
  readonly correlationId: string
  input(): JsonValue
  readonly seed: number | string
  readonly project: AgentContext['project']
  /** Of the definition. */
  readonly services: Readonly<Record<string, JsonObject>> | undefined
  readonly http: HttpPort | undefined
  readonly processes: ProcessServices | undefined
}

/**
 * What an agent is given. One is made for every attempt, so what many agents never ask for is made when it is asked for;
 * its functions need no `this`, so that an agent may take them out of it.
 */
export class EngineContext implements AgentContext {
  readonly workflowId: string
  readonly runId: string
  readonly correlationId: string
  readonly step: string
  readonly agent: string
  readonly action: string | undefined
  readonly visit: number
  readonly attempt: number
  readonly undoing: boolean
  readonly input: JsonValue
  readonly parameters: JsonObject
  readonly requires: readonly string[]
  readonly creates: readonly string[]
  readonly thresholds: Readonly<Record<string, number>>
  readonly seed: number | string
  readonly project: AgentContext['project']
  readonly #attempt: Attempt
  readonly #services: ContextServices
  readonly #outputs: () => AgentContext['outputs']
  #artifacts: ArtifactsContext | undefined
  #clock: AgentClock | undefined
  #random: SeededRandom | undefined
  #http: HttpClient | undefined
  #processes: ProcessRunner | undefined

  /** @param outputs what the step sees of others */
  constructor(attempt: Attempt, services: ContextServices, outputs: () => AgentContext['outputs']) {
    const { definition, key } = attempt
    this.#attempt = attempt
    this.#services = services
    this.#outputs = outputs
    this.workflowId = services.workflowId
    this.runId = services.runId
    this.correlationId = services.correlationId
    this.step = key.step
    this.agent = definition.agent
    this.action = definition.action
    this.visit = key.visit
    this.attempt = key.attempt
    this.undoing = attempt.undoes
    this.input = services.input()
    this.parameters = attempt.parameters
    this.requires = definition.requires
    this.creates = definition.creates
    this.thresholds = definition.scoring?.thresholds ?? noThresholds
    this.seed = services.seed
    this.project = services.project
  }

  get outputs(): Readonly<Record<string, JsonValue>> {
    return this.#outputs()
  }

  get signal(): AbortSignal {
    return this.#attempt.signal
  }

  get idempotencyKey(): string {
    const key = idempotencyKey(this.runId, this.step, this.visit)
    return this.undoing ? undoKey(key) : key
  }

  get service(): AgentService | undefined {
    const name = this.#attempt.definition.service
    return name === undefined ? undefined : { name, settings: this.#services.services?.[name] ?? {} }
  }

  get http(): HttpClient {
    const attempt = this.#attempt
    const port = given(this.#services.http, 'HTTP', this)
    return (this.#http ??= httpClient(attempt, port, () => assertOpen(attempt)))
  }

  get processes(): ProcessRunner {
    const attempt = this.#attempt
    const services = given(this.#services.processes, 'child processes', this)
    return (this.#processes ??= processRunner(attempt, services, () => assertOpen(attempt)))
  }

  get artifacts(): ArtifactsContext {
    return (this.#artifacts ??= artifactsContext(this.#attempt, this.#services))
  }

  get clock(): AgentClock {
    return (this.#clock ??= agentClock(this.#attempt, this.#services.clock))
  }

  get random(): SeededRandom {
    const name = `${this.seed}/${this.step}#${this.visit}`
    return (this.#random ??= seededRandom(this.undoing ? undoKey(name) : name))
  }

  get effect(): AgentContext['effect'] {
    const { idempotencyKey: key } = this
    const attempt = this.#attempt
    return async (_name, run) => {
      assertOpen(attempt)
      return run(key)
    }
  }

  get log(): AgentContext['log'] {
    const attempt = this.#attempt
    const services = this.#services
    return (message) => {
      if (!attempt.ended) services.log(attempt, message)
    }
  }
}

const noThresholds = {}

function given<T>(port: T | undefined, what: string, { step }: AgentContext): T {
  if (port !== undefined) return port
  throw new ConfigurationError(`Step '${step}' needs ${what}, and this engine was given none.`)
}

function artifactsContext(attempt: Attempt, services: ContextServices): ArtifactsContext {
  const { store } = services
  const read = async (path: string): Promise<Uint8Array> => {
    assertOpen(attempt)
    const bytes = await services.run(readArtifact(attempt, artifactPath(path, store)))
    if (bytes !== undefined) return bytes
    throw new Error(`Step '${attempt.key.step}' reads '${path}', and there is no such file.`)
  }
  return {
    async write(path, data) {
      assertOpen(attempt)
      if (attempt.undoes)
        throw new Error(`Undoing step '${attempt.key.step}' leaves no artifacts: '${path}' is not written.`)
      const target = artifactPath(path, store)
      attempt.hasStaged = true
      await services.run(stageArtifact(attempt.staging, target, data, services.durableFolders))
      attempt.staged.set(target, {
        path: target,
        sha256: services.digest.sha256(data),
        sizeBytes: typeof data === 'string' ? encodeUtf8(data).length : data.length,
      })
    },
    async adopt(path) {
      assertOpen(attempt)
      if (attempt.undoes)
        throw new Error(`Undoing step '${attempt.key.step}' leaves no artifacts: '${path}' is not adopted.`)
      const target = artifactPath(path, store)
      const found = await services.run(adoptArtifact(target, services.digest, services.durableFolders))
      if (found !== undefined) attempt.adopt(found)
      return found !== undefined
    },
    // What an agent does with its bytes is its own affair.
    read: async (path) => new Uint8Array(await read(path)),
    readText: async (path) => decodeUtf8(await read(path)),
    async list(folder = '') {
      assertOpen(attempt)
      const start = folder === '' || folder === '.' ? '' : containedPath(folder, 'folder')
      const found = new Set(await services.run(listFiles(start, store)))
      for (const path of attempt.staged.keys()) {
        if (start === '' || path.startsWith(`${start}/`)) found.add(path)
      }
      return [...found].sort()
    },
  }
}

function* readArtifact(attempt: Attempt, path: string): FileProgram<Uint8Array | undefined> {
  if (attempt.staged.has(path)) return yield* perform({ op: 'read', path: joinPath(attempt.staging, path) })
  return yield* perform({ op: 'read', path })
}

/** Files below a folder; what the engine keeps is not the project's. */
function* listFiles(folder: string, store: StoreLayout): FileProgram<readonly string[]> {
  const files: string[] = []
  for (const entry of (yield* perform({ op: 'list', path: folder })) ?? []) {
    const path = joinPath(folder, entry.name)
    if (reservedFolder(store, path) !== undefined) continue
    if (entry.kind === 'file') files.push(path)
    if (entry.kind === 'folder') files.push(...(yield* listFiles(path, store)))
  }
  return files
}

function agentClock(attempt: Attempt, clock: ClockPort): AgentClock {
  return {
    now: () => clock.now(),
    sleep(ms) {
      assertOpen(attempt)
      const { signal } = attempt
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error)
        const wake = Number.isFinite(ms) ? clock.schedule(clock.now() + ms, awake) : undefined
        function awake(): void {
          signal.removeEventListener('abort', onAbort)
          resolve()
        }
        function onAbort(): void {
          wake?.cancel()
          reject(signal.reason as Error)
        }
        signal.addEventListener('abort', onAbort, { once: true })
      })
    },
  }
}

function artifactPath(path: string, store: StoreLayout): string {
  const contained = containedPath(path, 'artifact path')
  const folder = reservedFolder(store, contained)
  if (folder !== undefined) {
    throw new Error(`An artifact cannot lie in '${folder}', which belongs to the engine: '${path}'.`)
  }
  return contained
}

function assertOpen(attempt: Attempt): void {
  if (attempt.ended)
    throw new Error(`Attempt ${formatStepKey(attempt.key)} has ended; what it does now is not recorded.`)
}
