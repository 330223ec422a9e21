import { closeSync, openSync, readSync } from 'node:fs'
import { describeDivergence, firstDivergence, formatTimeline, timelineOf } from '../trace/index.ts'
import type { WorkflowEvent } from '../trace/index.ts'
import type { Times } from './replay-verdict.ts'

export interface StepWalkOptions {
  /** Events of the recording that the walked ones are held against. */
  readonly recorded: readonly WorkflowEvent[]
  readonly times: Times
  readonly print: (text: string) => void
  /** Returns when the reader wants to go on. */
  readonly wait: () => void
}

/** Shows a replay step by step: what happened, what came out of it, and whether the recording has the same. */
export class StepWalk {
  readonly #options: StepWalkOptions
  readonly #taken: WorkflowEvent[] = []
  #shown = 0
  #diverged = false

  constructor(options: StepWalkOptions) {
    this.#options = options
  }

  take(event: WorkflowEvent): void {
    this.#taken.push(event)
    if (!endsStep(event)) return
    const { print, wait } = this.#options
    print('')
    print(formatTimeline(timelineOf(this.#taken).slice(this.#shown)))
    for (const line of results(event)) print(`      ${line}`)
    print(`      ${this.#comparison()}`)
    this.#shown = this.#taken.length
    wait()
  }

  #comparison(): string {
    if (this.#diverged) return 'after the recording was left'
    const { recorded, times } = this.#options
    const [from, to] = [this.#shown, this.#taken.length]
    const first = this.#taken[0]?.seq ?? 0
    // The first event is where times are counted from.
    const part = (events: readonly WorkflowEvent[]): readonly WorkflowEvent[] => [
      ...events.slice(0, 1),
      ...events.slice(from, to),
    ]
    const divergence = firstDivergence(part(recorded.slice(first)), part(this.#taken), { times })
    if (divergence === undefined) return 'as recorded'
    this.#diverged = true
    return describeDivergence({ ...divergence, index: Math.max(0, divergence.index - 1 + from) + first })
  }
}

function endsStep(event: WorkflowEvent): boolean {
  switch (event.kind) {
    case 'step_finish':
    case 'step_fail':
    case 'step_retry':
    case 'workflow_resume':
    case 'workflow_end':
      return true
    case 'gate_result':
      return event.route.to === 'loop'
    default:
      return false
  }
}

const longestOutput = 400

function results(event: WorkflowEvent): readonly string[] {
  if (event.kind !== 'step_finish') return []
  const output = JSON.stringify(event.output)
  return [
    `output  ${output.length <= longestOutput ? output : `${output.slice(0, longestOutput)}… (${output.length} characters)`}`,
    ...event.artifacts.map(({ path, sizeBytes }) => `wrote   ${path} (${sizeBytes} bytes)`),
  ]
}

/**
 * Stands still until somebody presses enter; with `q` it never waits again. It blocks the process, so that the replay
 * does not go on behind the reader's back: what is on disk is as the last step has left it.
 */
export function terminalWait(): () => void {
  let asks = true
  return () => {
    if (!asks) return
    process.stderr.write('      enter: next step, q: all the rest ')
    const terminal = openSync('/dev/tty', 'r')
    try {
      asks = !lineFrom(terminal).startsWith('q')
    } finally {
      closeSync(terminal)
    }
  }
}

function lineFrom(file: number): string {
  const buffer = Buffer.alloc(256)
  let text = ''
  while (!text.includes('\n')) {
    const count = readSync(file, buffer)
    if (count === 0) break
    text += buffer.toString('utf8', 0, count)
  }
  return text
}
