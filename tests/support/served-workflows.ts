import { request } from 'node:http'
import type { IncomingHttpHeaders } from 'node:http'
import { onTestFinished } from 'vitest'
import { createHttpService } from '../../src/adapters/node/index.ts'
import { createRedactor } from '../../src/bundle/index.ts'
import type { JsonObject } from '../../src/core/index.ts'
import { createEngine, loadWorkflow, workflowFromText, workflowNames } from '../../src/embedding/index.ts'
import type { Engine, ReadWorkflow } from '../../src/embedding/index.ts'
import type { Agents } from '../../src/ports/index.ts'
import {
  checkedServices,
  createHealthBoard,
  servicesOf,
  startService,
  type RunningService,
} from '../../src/server/index.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The text as JSON. */
  readonly body: JsonObject
}

export interface ServedWorkflows {
  readonly url: string
  readonly engine: Engine
  readonly project: string
  /** Errors that the service says are its own. */
  readonly failures: readonly unknown[]
  ask(path: string, options?: Asking): Promise<Answer>
  /** Starts a run and waits for its end. */
  run(workflow: string, body?: JsonObject): Promise<string>
  close(): Promise<void>
}

export interface Asking {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Text is sent as it is, anything else as JSON. */
  readonly body?: JsonObject | string
}

export interface Serving {
  /** Text of the definitions by file name. */
  readonly files: Readonly<Record<string, string>>
  readonly agents?: Agents
  readonly project?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly port?: number
  readonly engine?: Engine
}

/** A real service on a free port of this machine, over a folder of its own, for the test that is running. */
export async function servedWorkflows({
  files,
  agents = {},
  project = temporaryFolder(),
  environment = {},
  port = 0,
  engine = createEngine({ project, agents }),
}: Serving): Promise<ServedWorkflows> {
  const workflows = await loaded(files)
  const redactor = createRedactor({ environment, roots: { '<project>': project } })
  const failures: unknown[] = []
  const check = checkedServices({ http: createHttpService(), environment })
  const definitions = workflows.map(({ definition }) => definition)
  const service: RunningService = await startService({
    workflows: new Map(workflows.map((each) => [each.definition.id, each])),
    services: createHealthBoard(servicesOf(definitions), check, Date.now),
    runs: engine.runs,
    start: (workflow, wanted) => engine.start(workflow, wanted),
    redact: (value) => redactor.json(value),
    port,
    failed: (error) => failures.push(error),
  })
  const close = async (): Promise<void> => {
    await service.close()
    await engine.close()
  }
  onTestFinished(close)
  const ask = (path: string, options: Asking = {}): Promise<Answer> =>
    answerOf(`${service.url}${path}`, options)
  return {
    url: service.url,
    engine,
    project,
    failures,
    ask,
    async run(workflow, body = {}) {
      const { body: started } = await ask(`/api/workflows/${workflow}/runs`, { method: 'POST', body })
      await Promise.all(engine.running.map(({ result }) => result))
      return textIn(started, 'runId')
    },
    close,
  }
}

/** A member of an answer that is text. */
export function textIn(body: JsonObject, name: string): string {
  const text = body[name]
  if (typeof text === 'string') return text
  throw new Error(`The answer has no text '${name}': ${JSON.stringify(body)}`)
}

async function loaded(files: Readonly<Record<string, string>>): Promise<readonly ReadWorkflow[]> {
  const workflows: ReadWorkflow[] = []
  for (const [file, text] of Object.entries(files)) {
    for (const name of (await workflowNames(workflowFromText(text, file))) ?? [undefined])
      workflows.push(await loadWorkflow(workflowFromText(text, file, name)))
  }
  return workflows
}

/** Node's own client, which sends whatever `Host` it is given. */
export function answerOf(url: string, { method = 'GET', headers = {}, body }: Asking = {}): Promise<Answer> {
  const sent = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const type = body === undefined ? {} : { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, agent: false, headers: { ...type, ...headers } }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const isJson = /json/.test(response.headers['content-type'] ?? '')
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          body: isJson && text !== '' ? (JSON.parse(text) as JsonObject) : {},
        })
      })
    })
    asked.on('error', reject)
    asked.end(sent)
  })
}
