import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { InterruptedRun } from './interrupted-run.ts'
import type { Loss } from './lost-tests.ts'
import { readJournals } from './read-journals.ts'
import type { WorkerNotes } from './read-journals.ts'
import type { Failure, ReportedRun } from './run-report.ts'
import { createWatchdog } from './watchdog.ts'

const lookMs = 1_000

/**
 * Looks after the tests of a run from the main process: ends workers that hang, and makes the bundles of tests whose worker
 * could not, because it died or because the whole run is being ended.
 */
export class RunGuard {
  readonly #journals: string
  readonly #run: () => ReportedRun
  readonly #hung = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  /** @param journals Folder of the workers' journals. */
  constructor(journals: string, run: () => ReportedRun) {
    this.#journals = journals
    this.#run = run
  }

  begin(): void {
    this.end()
    mkdirSync(this.#journals, { recursive: true })
    const watchdog = createWatchdog(this.#journals, lookMs)
    this.#timer = setInterval(() => watchdog.look().forEach((notes) => this.#giveUp(notes)), lookMs).unref()
    // Before the folders of the run are removed, which happens on exit too.
    process.prependListener('exit', this.#exit)
  }

  end(): void {
    clearInterval(this.#timer)
    process.off('exit', this.#exit)
    rmSync(this.#journals, { recursive: true, force: true })
    this.#hung.clear()
  }

  /** What the workers have noted and may not have lived to report: bundles that they left, and those that they could not. */
  async failures(): Promise<readonly Failure[]> {
    const workers = readJournals(this.#journals)
    if (workers.length === 0) return []
    const { failuresOfWorkers } = await import('./lost-tests.ts')
    return failuresOfWorkers(workers, ({ journal }) => this.#lossOf(journal, 'worker-died'))
  }

  #giveUp({ journal, pid }: WorkerNotes): void {
    this.#hung.add(journal)
    // A thread cannot be ended from here: then the run ends, which Vitest itself would never do.
    if (pid === process.pid) process.exit(1)
    kill(pid)
  }

  #lossOf(journal: string, otherwise: Loss): Loss {
    return this.#hung.has(journal) ? 'hang' : otherwise
  }

  /** The process is about to be gone and can wait for nothing but another process. */
  readonly #exit = (): void => {
    const workers = readJournals(this.#journals).filter(
      ({ underWay, bundles }) => underWay.length + bundles.length > 0,
    )
    if (workers.length === 0) return
    for (const { pid, underWay } of workers) if (pid !== process.pid && underWay.length > 0) kill(pid)
    const interrupted: InterruptedRun = { run: this.#run(), journals: this.#journals, hung: [...this.#hung] }
    const script = fileURLToPath(new URL(`interrupted-run${extname(import.meta.url)}`, import.meta.url))
    spawnSync(process.execPath, [script, JSON.stringify(interrupted)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
