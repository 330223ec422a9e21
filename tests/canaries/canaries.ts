import type { AgentWorkflow, GraphWorkflow } from '../../src/engine/index.ts'
import {
  decided,
  fanOutOfTwo,
  flaky,
  gated,
  inPlace,
  joined,
  largeResults,
  retried,
  rewriting,
  single,
} from './workflows.ts'

/** A bug planted in the engine: a text of its source, and what stands there instead. */
export interface Canary {
  readonly name: string
  /** What is wrong, as a sentence. */
  readonly wrong: string
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly text: string
  readonly replacement: string
  /** The smallest one that shows the bug. */
  readonly workflow: AgentWorkflow | GraphWorkflow
  /** How many faults it takes to see it. Default 1. */
  readonly takes?: 2
}

const eventLog = 'src/engine/store/event-log.ts'
const artifactCommit = 'src/engine/store/artifact-commit.ts'
const durableFile = 'src/engine/store/durable-file.ts'
const recoverRun = 'src/engine/run/recover-run.ts'
const reducer = 'src/engine/run/reducer.ts'
const tick = 'src/engine/run/tick.ts'
const decision = 'src/engine/run/decision.ts'
const passage = 'src/engine/run/passage.ts'

export const canaries: readonly Canary[] = [
  {
    name: 'log-not-synced',
    wrong: 'Events are acknowledged as soon as they are written: the log is never synced.',
    file: eventLog,
    text: `      yield* perform({ op: 'fsync', path: this.#layout.log })\n`,
    replacement: '',
    workflow: single,
  },
  {
    name: 'artifact-not-synced',
    wrong: 'The bytes of an artifact are not synced before the event that announces it.',
    file: artifactCommit,
    text: `    yield* perform({ op: 'fsync', path: staged })\n`,
    replacement: '',
    workflow: single,
  },
  {
    name: 'artifact-folder-not-synced',
    wrong: 'The folder into which artifacts are moved is not synced before their step is called finished.',
    file: artifactCommit,
    text: `path: joinPath(staging, path), to: path })
  for (const folder of folders) yield* perform({ op: 'fsyncFolder', path: folder })`,
    replacement: `path: joinPath(staging, path), to: path })`,
    workflow: single,
  },
  {
    name: 'run-folder-not-synced',
    wrong: 'The folder of a new run is not synced in the folder of all runs.',
    file: durableFile,
    text: `  yield* perform({ op: 'fsyncFolder', path: parent })\n`,
    replacement: `  if (parent !== '.workflow/runs') yield* perform({ op: 'fsyncFolder', path: parent })\n`,
    workflow: single,
  },
  {
    name: 'snapshot-not-synced',
    wrong: 'The snapshot takes its name before its bytes are synced.',
    file: durableFile,
    text: `  yield* perform({ op: 'fsync', path: temporary })\n`,
    replacement: `  if (!path.endsWith('/state.json')) yield* perform({ op: 'fsync', path: temporary })\n`,
    workflow: single,
  },
  {
    name: 'replaced-file-not-synced',
    wrong: 'A file that replaces another takes its name before its bytes are synced.',
    file: durableFile,
    text: `  yield* perform({ op: 'fsync', path: temporary })\n`,
    replacement: '',
    workflow: single,
  },
  {
    name: 'finished-before-artifacts',
    wrong: 'A step is called finished before its artifacts are in place.',
    file: tick,
    text: `    yield* flush(current)
    for (const { attempt } of commits) {
      yield* placeArtifacts(attempt.staging, [...attempt.staged.values()], run.durableFolders)
      attempt.placed = true
    }
  } catch (error) {
    throw run.log.poison(error)
  }
  for (const { attempt, returned } of commits) settle(current, attempt, returned)`,
    replacement: `    for (const { attempt, returned } of commits) settle(current, attempt, returned)
    yield* flush(current)
    for (const { attempt } of commits) {
      yield* placeArtifacts(attempt.staging, [...attempt.staged.values()], run.durableFolders)
      attempt.placed = true
    }
  } catch (error) {
    throw run.log.poison(error)
  }`,
    workflow: single,
  },
  {
    name: 'torn-tail-kept',
    wrong: 'Recovery writes on after the half of a line with which the log ends.',
    file: recoverRun,
    text: `yield* rewriteLog(run, stored.logBytes.subarray(0, stored.log.validBytes))`,
    replacement: `yield* rewriteLog(run, stored.logBytes)`,
    workflow: single,
  },
  {
    name: 'snapshot-trusted',
    wrong: 'Resume goes by the newest snapshot, and forgets what the log says after it.',
    file: recoverRun,
    text: `foldLog(stored)`,
    replacement: `foldLog(stored, stored.state?.seq || Infinity)`,
    workflow: largeResults,
  },
  {
    name: 'append-error-swallowed',
    wrong: 'An append that fails counts as done.',
    file: eventLog,
    text: `    } catch (error) {
      throw this.poison(error)
    }
    this.#sizeBytes`,
    replacement: `    } catch {}
    this.#sizeBytes`,
    workflow: single,
  },
  {
    name: 'writer-not-poisoned',
    wrong: 'After a write that failed the log takes further events, with a hole in their numbers.',
    file: eventLog,
    text: `    if (this.#poison !== undefined) throw this.#poison\n`,
    replacement: '',
    workflow: fanOutOfTwo,
  },
  {
    name: 'failed-sync-retried',
    wrong: 'A failed fsync is tried again, and its success is believed.',
    file: eventLog,
    text: `      yield* perform({ op: 'fsync', path: this.#layout.log })\n`,
    replacement: `      try {
        yield* perform({ op: 'fsync', path: this.#layout.log })
      } catch {
        yield* perform({ op: 'fsync', path: this.#layout.log })
      }\n`,
    workflow: single,
  },
  {
    name: 'append-repeated',
    wrong: 'An append that fails is tried once more before the run stops, although it may have been done.',
    file: eventLog,
    text: `      yield* perform({ op: 'append', path: this.#layout.log, data: text })\n`,
    replacement: `      const append = { op: 'append', path: this.#layout.log, data: text }
      try {
        yield* perform(append)
      } catch (error) {
        yield* perform(append)
        throw error
      }\n`,
    workflow: single,
  },
  {
    name: 'recovery-appends',
    wrong:
      'Recovery appends to a log whose end looks whole, and trusts pages that a failed fsync has dropped.',
    file: recoverRun,
    text: `  yield* replaceFile(run.layout.log, bytes)\n`,
    replacement: `  const there = yield* perform({ op: 'read', path: run.layout.log })
  if (there?.length === prefix.length) {
    yield* perform({ op: 'append', path: run.layout.log, data: added })
    yield* perform({ op: 'fsync', path: run.layout.log })
    yield* perform({ op: 'close', path: run.layout.log })
  } else yield* replaceFile(run.layout.log, bytes)\n`,
    workflow: single,
  },
  {
    name: 'log-rewritten-in-place',
    wrong: 'Recovery rewrites the log in place, not beside it.',
    file: recoverRun,
    text: `  yield* replaceFile(run.layout.log, bytes)\n`,
    replacement: `  yield* perform({ op: 'write', path: run.layout.log, data: bytes })
  yield* perform({ op: 'fsync', path: run.layout.log })\n`,
    workflow: single,
    takes: 2,
  },
  {
    name: 'epoch-not-raised',
    wrong: 'Recovery goes on in the epoch of the life before.',
    file: recoverRun,
    text: `epoch: state.epoch + 1,`,
    replacement: `epoch: state.epoch,`,
    workflow: single,
  },
  {
    name: 'folder-trusted',
    wrong: 'A folder that is there counts as durable, whoever made it.',
    file: durableFile,
    text: `if (durable.has(path) && (yield* perform`,
    replacement: `if ((yield* perform`,
    workflow: single,
    takes: 2,
  },
  {
    name: 'moved-artifact-trusted',
    wrong: 'Recovery does not sync the folder of an artifact that it finds in place already.',
    file: artifactCommit,
    text: `    yield* ensureFolder(folder, durable)
    yield* perform({ op: 'fsyncFolder', path: folder })\n`,
    replacement: '',
    workflow: single,
    takes: 2,
  },
  {
    name: 'staged-names-not-synced',
    wrong: 'The bytes of a staged file are synced before it is announced, its name is not.',
    file: artifactCommit,
    text: `    folders.add(parentFolder(staged))\n`,
    replacement: '',
    workflow: single,
  },
  {
    name: 'one-of-many-synced',
    wrong: 'Of steps that finish together, only the artifacts of the first are synced.',
    file: tick,
    text: `for (const { attempt } of commits) yield* settleStaged(`,
    replacement: `for (const { attempt } of commits.slice(0, 1)) yield* settleStaged(`,
    workflow: fanOutOfTwo,
  },
  {
    name: 'moved-before-announced',
    wrong: 'Artifacts are moved into place before the event that announces them is durable.',
    file: tick,
    text: `    yield* flush(current)
    for (const { attempt } of commits)`,
    replacement: `    for (const { attempt } of commits)`,
    workflow: rewriting,
  },
  {
    name: 'gate-skipped',
    wrong: 'Recovery finishes a step whose artifacts were announced without asking its gate.',
    file: recoverRun,
    text: `    if (definition.gate !== undefined) continue\n`,
    replacement: '',
    workflow: gated,
  },
  {
    name: 'called-too-early',
    wrong: 'An agent is called before the start of its step is durable.',
    file: tick,
    text: `current.actions.push(() => callAgent(run, attempt))`,
    replacement: `callAgent(run, attempt)`,
    workflow: single,
  },
  {
    name: 'staging-not-swept',
    wrong: 'Recovery leaves what a dead attempt had staged.',
    file: recoverRun,
    text: `  yield* perform({ op: 'removeFolder', path: run.layout.staging })\n`,
    replacement: '',
    workflow: single,
  },
  {
    name: 'end-not-tidied',
    wrong: 'A run that died after its end, but before it was tidied up, is left as it is.',
    file: recoverRun,
    text: `).state !== 'dead') throw notResumable(state)`,
    replacement: `).state !== 'never') throw notResumable(state)`,
    workflow: single,
  },
  {
    name: 'attempt-numbered-again',
    wrong: 'After a crash the attempt that it cut short gives its number to the next.',
    file: reducer,
    text: `  step.status = 'pending'
  step.retriesUsed = 0
  step.error = null
  step.prepared = null
  endAttempt(`,
    replacement: `  if (step.status === 'running') step.attempt--
  step.status = 'pending'
  step.retriesUsed = 0
  step.error = null
  step.prepared = null
  endAttempt(`,
    workflow: single,
  },
  {
    name: 'retries-not-renewed',
    wrong:
      'A step that a crash has cut short goes on with the retries that it had left, not with a fresh budget.',
    file: reducer,
    text: `  step.status = 'pending'
  step.retriesUsed = 0
  step.error = null
  step.prepared = null
  endAttempt(`,
    replacement: `  step.status = 'pending'
  step.error = null
  step.prepared = null
  endAttempt(`,
    workflow: flaky,
  },
  {
    name: 'late-result-taken',
    wrong: 'What an agent answers after its limit has ended its attempt is taken for its result.',
    file: tick,
    text: `    else if (attempt.ended) noteLate(current, result)\n`,
    replacement: '',
    workflow: retried,
  },
  {
    name: 'clock-trusted',
    wrong: 'Times are those of the machine, although its clock can be set back.',
    file: 'src/engine/run/steady-clock.ts',
    text: `      return latest\n`,
    replacement: `      return machine.now()\n`,
    workflow: single,
  },
  {
    name: 'holder-ignored',
    wrong: 'The lock of a process that is alive is replaced.',
    file: 'src/engine/store/lock.ts',
    text: `  if (holder === undefined || state === 'dead') return\n`,
    replacement: `  if (holder === undefined || state !== 'elsewhere') return\n`,
    workflow: single,
  },
  {
    name: 'definition-by-name',
    wrong: 'A definition of the same id is taken for the one that the run goes by.',
    file: recoverRun,
    text: `  if (expectedSha256 === state.workflow.definitionSha256) return undefined`,
    replacement: `  if (expects.id === state.workflow.definition.id) return undefined`,
    workflow: single,
  },
  {
    name: 'adopted-bytes-not-synced',
    wrong: 'The bytes of a file that a program has written in place are not synced before it is announced.',
    file: artifactCommit,
    text: `  yield* perform({ op: 'fsync', path })\n`,
    replacement: '',
    workflow: inPlace,
  },
  {
    name: 'adopted-name-not-synced',
    wrong: 'The name of a file that a program has written in place is not synced before it is announced.',
    file: artifactCommit,
    text: `  yield* perform({ op: 'fsyncFolder', path: parentFolder(path) })\n`,
    replacement: '',
    workflow: inPlace,
  },
  {
    name: 'adopted-folder-trusted',
    wrong: 'The folder that a program has made for what it writes in place counts as durable.',
    file: artifactCommit,
    text: `  yield* ensureFolder(parentFolder(path), durable)\n  yield* perform({ op: 'fsync', path })\n`,
    replacement: `  yield* perform({ op: 'fsync', path })\n`,
    workflow: inPlace,
  },
  {
    name: 'tolerated-taken-back',
    wrong: 'A tolerated failure does not stay one: whoever takes up the run tries the step again.',
    file: passage,
    text: ` || (status === 'failed' && flow.tolerated)`,
    replacement: '',
    workflow: decided,
  },
  {
    name: 'skipped-decided-again',
    wrong: 'A step that was skipped is decided anew after a crash.',
    file: passage,
    text: `  return status === 'completed' || status === 'skipped' || (`,
    replacement: `  return status === 'completed' || (`,
    workflow: decided,
  },
  {
    name: 'join-decided-again',
    wrong: 'A join of any that a crash has cut short is decided anew.',
    file: decision,
    text: `const decision: Decision = step.flow.isReached`,
    replacement: `const decision: Decision = false`,
    workflow: joined,
  },
]

/** No canary: the ordinary tests fail with it, or they would prove nothing by passing with the others. */
export const obviousBug: Canary = {
  name: 'completed-steps-repeated',
  wrong: 'A resume runs completed steps again.',
  file: 'src/engine/run/safe-point.ts',
  text: `(step.status !== 'pending' && step.status !== 'waiting' && !isSettledForGood(step))`,
  replacement: `step.status !== 'pending'`,
  workflow: single,
}
