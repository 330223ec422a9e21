import type { EndedLife, Evidence, Execution } from '../../../../src/harness/invariants/index.ts'
import {
  change,
  copy,
  eventsIn,
  lineOf,
  logOf,
  logPathOf,
  move,
  remove,
  statePathOf,
  withEvents,
  withFile,
  withLife,
  withoutFile,
  withRawEvents,
  withState,
} from '../../../support/tamper.ts'
import type { SoundEvidences } from './evidences.ts'

/** One way of breaking an invariant: a sound run, what is done to its evidence, and what is then said. */
export interface Mutation {
  readonly invariant: string
  readonly tampering: string
  readonly sound: keyof SoundEvidences
  readonly tamper: (evidence: Evidence) => Evidence
  /** The sentences of the violations, with the run's id as `<run>`. */
  readonly says: string | readonly string[]
}

export const mutations: readonly Mutation[] = [
  {
    invariant: 'O0',
    tampering: 'the run stands still',
    sound: 'plain',
    tamper: (run) => ({ ...run, ending: { status: 'deadlock', step: 'docs' } }),
    says: "The run stands still for ever at step 'docs'.",
  },
  {
    invariant: 'O0',
    tampering: 'the run uses up its budget',
    sound: 'plain',
    tamper: (run) => ({ ...run, ending: { status: 'unfinished', step: 'docs' } }),
    says: "The run had not ended when its budget was used up at step 'docs'.",
  },
  {
    invariant: 'O0',
    tampering: 'a rejection is handled by nobody',
    sound: 'plain',
    tamper: (run) => ({ ...run, unhandledRejections: ['boom'] }),
    says: 'A rejection was handled by nobody: boom.',
  },

  {
    invariant: 'O1',
    tampering: 'another output',
    sound: 'crashed',
    tamper: (run) => withEvents(run, change('step_finish ship#1@1', { output: { step: 'shop' } })),
    says: `Step 'ship' ended with output.step "shop", and with "ship" in the run without faults.`,
  },
  {
    invariant: 'O1',
    tampering: 'another file',
    sound: 'crashed',
    tamper: (run) => ({ ...run, files: withFile(run.files, 'ship.md', 'other') }),
    says: "File 'ship.md' has other bytes than in the run without faults.",
  },
  {
    invariant: 'O1',
    tampering: 'a missing file',
    sound: 'crashed',
    tamper: (run) => ({ ...run, files: withoutFile(run.files, 'ship.md') }),
    says: "File 'ship.md' is missing, and is there in the run without faults.",
  },
  {
    invariant: 'O1',
    tampering: 'a file too many',
    sound: 'crashed',
    tamper: (run) => ({ ...run, files: withFile(run.files, 'more.md', 'more') }),
    says: "File 'more.md' is there, and is not in the run without faults.",
  },
  {
    invariant: 'O1',
    tampering: 'a failure after a fault that can be survived',
    sound: 'crashed',
    tamper: (run) => ({ ...run, ending: { status: 'failed', error: { message: 'x', kind: 'exception' } } }),
    says: 'The run ended failed, and completed in the run without faults.',
  },
  {
    invariant: 'O1',
    tampering: 'a failure that does not say why',
    sound: 'failed',
    tamper: (run) => ({ ...run, ending: { status: 'failed' } }),
    says: 'The run ended failed and does not say why with a code or a kind of error.',
  },
  {
    invariant: 'O1',
    tampering: 'an end that is neither the right one nor a failure',
    sound: 'failed',
    tamper: (run) => ({ ...run, ending: { status: 'cancelled' } }),
    says: 'The run ended cancelled; without faults it ended completed.',
  },
  {
    invariant: 'O1',
    tampering: 'a failed run that has computed something else on the way',
    sound: 'failed',
    tamper: (run) => withEvents(run, change('step_finish build#1@1', { output: null })),
    says: `Step 'build' ended with output null, and with {"step":"build","good":true} in the run without faults.`,
  },

  {
    invariant: 'O2',
    tampering: 'a start after the completion',
    sound: 'resumed',
    tamper: (run) => withEvents(run, copy('step_start build#1@1', { attempt: 2 }, 'workflow_resume')),
    says: "Step 'build' ran again (visit 1, attempt 2, incarnation 2) after it had completed at event 10.",
  },
  {
    invariant: 'O2',
    tampering: 'a second completion of one visit',
    sound: 'plain',
    tamper: (run) => withEvents(run, copy('step_finish build#1@1', { attempt: 2 }, 'step_finish docs#1@1')),
    says: "Step 'build' completed twice in visit 1: at event 10 and again at event 13 (attempt 2).",
  },
  {
    invariant: 'O2',
    tampering: 'a start after the result was announced',
    sound: 'crashed',
    tamper: (run) =>
      withEvents(run, copy('artifacts_prepared docs#1@2', { attempt: 1 }, 'step_start docs#1@1')),
    says: "Step 'docs' ran again (visit 1, attempt 2, incarnation 3) after its result had been announced at event 8.",
  },
  {
    invariant: 'O2',
    tampering: 'a call of a durably completed step that the log hides',
    sound: 'crashed',
    tamper: (run) => withCall(run, { step: 'plan', visit: 1, attempt: 2, incarnation: 2 }),
    says: "Step 'plan' was called again (visit 1, attempt 2, incarnation 2) after incarnation 1 had completed it durably at event 4.",
  },
  {
    invariant: 'O2',
    tampering: 'a call without a start',
    sound: 'plain',
    tamper: (run) => withEvents(run, remove('step_start ship#1@1')),
    says: "Step 'ship' was called (visit 1, attempt 1, incarnation 1) without a start in the log, which has it complete at event 20.",
  },
  {
    invariant: 'O2',
    tampering: 'two calls for one attempt',
    sound: 'crashed',
    tamper: (run) => withCall(run, { step: 'ship', visit: 1, attempt: 1, incarnation: 4 }),
    says: "Step 'ship' was called twice for one attempt (visit 1, attempt 1, incarnation 4).",
  },
  {
    invariant: 'O2',
    tampering: 'more calls in one life than retries explain',
    sound: 'plain',
    tamper: (run) =>
      withCall(withEvents(run, copy('step_start ship#1@1', { attempt: 2 }, 'step_start ship#1@1')), {
        step: 'ship',
        visit: 1,
        attempt: 2,
        incarnation: 1,
      }),
    says: "Step 'ship' was called more often than its retries explain: 2 calls (visit 1, attempt 2, incarnation 1), 1 call allowed.",
  },

  {
    invariant: 'O3',
    tampering: 'an artifact is missing',
    sound: 'crashed',
    tamper: (run) => ({ ...run, files: withoutFile(run.files, 'docs.md') }),
    says: "Artifact 'docs.md' of step 'docs' (visit 1, attempt 2) is missing.",
  },
  {
    invariant: 'O3',
    tampering: 'an artifact has other bytes',
    sound: 'crashed',
    tamper: (run) => ({ ...run, files: withFile(run.files, 'docs.md', '') }),
    says: "Artifact 'docs.md' of step 'docs' (visit 1, attempt 2) has other bytes than event 15 says.",
  },
  {
    invariant: 'O3',
    tampering: 'a recorded edit has other bytes',
    sound: 'edited',
    tamper: (run) => ({ ...run, files: withFile(run.files, 'notes.md', '') }),
    says: "Artifact 'notes.md' of a recorded edit has other bytes than event 5 says.",
  },
  {
    invariant: 'O3',
    tampering: 'a declared artifact was never committed',
    sound: 'plain',
    tamper: (run) => withEvents(run, change('step_finish docs#1@1', { artifacts: [] })),
    says: "Step 'docs' completed (visit 1, attempt 1) without 'docs.md', which it declares to create.",
  },

  {
    invariant: 'O3',
    tampering: 'a step completes with another output than it announced',
    sound: 'crashed',
    tamper: (run) => withEvents(run, change('artifacts_prepared docs#1@2', { output: 'other' })),
    says: "Step 'docs' (visit 1, attempt 2) has another output in event 15 than in event 13.",
  },
  {
    invariant: 'O3',
    tampering: 'a step completes with another scoring than its gate was asked about',
    sound: 'plain',
    tamper: (run) =>
      withEvents(run, change('gate_result review#1@1', { scoring: { passed: true, scores: {} } })),
    says: [
      "Step 'review' (visit 1, attempt 1) has another scoring in event 15 than in event 14.",
      "Step 'review' (visit 1, attempt 1) has another scoring in event 17 than in event 15.",
    ],
  },

  {
    invariant: 'O4',
    tampering: 'a file that nobody made',
    sound: 'plain',
    tamper: (run) => ({ ...run, files: withFile(run.files, 'docs.md.bak', '') }),
    says: "File 'docs.md.bak' was made by nobody: it is no file of the project, no artifact and no recorded edit.",
  },
  {
    invariant: 'O4',
    tampering: 'a file of the project changed behind the run',
    sound: 'plain',
    tamper: (run) => ({
      ...run,
      initialFiles: withFile(new Map(), 'app.js', 'one'),
      files: withFile(run.files, 'app.js', 'two'),
    }),
    says: "File 'app.js' of the project was changed, and no event says so.",
  },
  {
    invariant: 'O4',
    tampering: 'a file of the project removed behind the run',
    sound: 'plain',
    tamper: (run) => ({ ...run, initialFiles: withFile(new Map(), 'app.js', 'one') }),
    says: "File 'app.js' of the project was removed, and no event says so.",
  },
  {
    invariant: 'O4',
    tampering: 'a staged file is left behind',
    sound: 'crashed',
    tamper: (run) => ({
      ...run,
      files: withFile(run.files, `.workflow/runs/${run.runId}/staging/ship#1@1/ship.md`, ''),
    }),
    says: "Staged file '.workflow/runs/<run>/staging/ship#1@1/ship.md' was left behind.",
  },
  {
    invariant: 'O4',
    tampering: 'a temporary file is left behind',
    sound: 'crashed',
    tamper: (run) => ({ ...run, files: withFile(run.files, '.workflow/last.json.tmp', '') }),
    says: "Temporary file '.workflow/last.json.tmp' was left behind.",
  },
  {
    invariant: 'O4',
    tampering: 'an artifact is named twice',
    sound: 'plain',
    tamper: (run) => {
      const artifact = { path: 'docs.md', sha256: '0'.repeat(64), sizeBytes: 0 }
      return withEvents(run, change('step_finish docs#1@1', { artifacts: [artifact, artifact] }))
    },
    says: "Step 'docs' names artifact 'docs.md' twice in event 12.",
  },

  {
    invariant: 'O5',
    tampering: 'no log',
    sound: 'plain',
    tamper: (run) => ({ ...run, files: withoutFile(run.files, logPathOf(run)) }),
    says: "The run has no log: '.workflow/runs/<run>/events.jsonl' is missing or empty.",
  },
  {
    invariant: 'O5',
    tampering: 'a flipped bit',
    sound: 'plain',
    tamper: (run) => {
      const bytes = run.files.get(logPathOf(run))?.slice() as Uint8Array
      bytes[200] = (bytes[200] as number) ^ 1
      return { ...run, files: withFile(run.files, logPathOf(run), bytes) }
    },
    says: 'Line 1 of the log does not match its checksum.',
  },
  {
    invariant: 'O5',
    tampering: 'a line without its end',
    sound: 'plain',
    tamper: (run) => {
      const bytes = run.files.get(logPathOf(run)) as Uint8Array
      return { ...run, files: withFile(run.files, logPathOf(run), bytes.slice(0, -1)) }
    },
    says: 'Line 23 of the log is cut short.',
  },
  {
    invariant: 'O5',
    tampering: 'a line without a checksum',
    sound: 'plain',
    tamper: (run) => withLogText(run, (text) => `${text}{}\n`),
    says: 'Line 24 of the log has no checksum.',
  },
  {
    invariant: 'O5',
    tampering: 'a hole in the numbering',
    sound: 'plain',
    tamper: (run) => withRawEvents(run, remove('step_finish docs#1@1')),
    says: 'Line 13 of the log carries event 13 where event 12 belongs.',
  },
  {
    invariant: 'O5',
    tampering: 'a number twice',
    sound: 'plain',
    tamper: (run) => withRawEvents(run, copy('workflow_end', {}, 'workflow_end')),
    says: 'Line 24 of the log carries event 22 where event 23 belongs.',
  },
  {
    invariant: 'O5',
    tampering: 'an epoch that goes back',
    sound: 'crashed',
    tamper: (run) => withEvents({ ...run, earlierLives: [] }, change('workflow_end', { epoch: 2 })),
    says: 'Line 26 of the log has epoch 2, older than epoch 3 before it.',
  },
  {
    invariant: 'O5',
    tampering: 'a recovery that does not raise the epoch',
    sound: 'resumed',
    tamper: (run) => withEvents(run, (events) => events.map((event) => ({ ...event, epoch: 1 }))),
    says: 'Line 22 of the log takes the run over without raising the epoch.',
  },
  {
    invariant: 'O5',
    tampering: 'a line of another run',
    sound: 'plain',
    tamper: (run) => withEvents(run, change('workflow_end', { runId: 'other' })),
    says: 'Line 23 of the log belongs to run "other".',
  },
  {
    invariant: 'O5',
    tampering: 'a line under another correlation id',
    sound: 'plain',
    tamper: (run) => withEvents(run, change('workflow_end', { correlationId: 'other' })),
    says: 'Line 23 of the log has correlationId "other", and the first line has another.',
  },
  {
    invariant: 'O5',
    tampering: 'a second beginning',
    sound: 'plain',
    tamper: (run) => withEvents(run, (events) => [...events, { ...events[0], durableSeq: 21 }]),
    says: 'Line 24 of the log begins the run a second time.',
  },
  {
    invariant: 'O5',
    tampering: 'a log without its beginning',
    sound: 'plain',
    tamper: (run) => withEvents(run, change('workflow_start', { kind: 'workflow_cancel' })),
    says: 'Line 1 of the log does not begin the run.',
  },
  {
    invariant: 'O5',
    tampering: 'a line that vouches for itself',
    sound: 'plain',
    tamper: (run) => withEvents(run, change('workflow_end', { durableSeq: 22 })),
    says: 'Line 23 of the log calls event 22 durable before it was written.',
  },
  {
    invariant: 'O5',
    tampering: 'a line that knows less to be durable than one before it',
    sound: 'plain',
    tamper: (run) => withEvents(run, change('workflow_end', { durableSeq: 3 })),
    says: 'Line 23 of the log calls less durable than a line before it: 3 after 19.',
  },
  {
    invariant: 'O5',
    tampering: 'a durable event was rewritten',
    sound: 'crashed',
    tamper: (run) => withEvents(run, change('step_finish plan#1@1', { durationMs: 5 })),
    says: "Event 4 (step_finish of step 'plan') was durable when incarnation 1 ended, and the log no longer has it as it was.",
  },
  {
    invariant: 'O5',
    tampering: 'durable events are gone',
    sound: 'crashed',
    tamper: (run) => withEvents(run, (events) => events.slice(0, 7)),
    says: "Event 7 (step_start of step 'docs') was durable when incarnation 2 ended, and the log no longer has it as it was.",
  },

  {
    invariant: 'O6',
    tampering: 'a step starts before what it depends on',
    sound: 'plain',
    tamper: (run) => withEvents(run, move('step_finish docs#1@1', 'gate_result review#1@1')),
    says: "Step 'review' (visit 1, attempt 1) started before step 'docs', which it depends on, had completed (event 12).",
  },
  {
    invariant: 'O6',
    tampering: 'a dependant starts before the gate has passed',
    sound: 'plain',
    tamper: (run) => withEvents(run, move('step_start ship#1@1', 'gate_result review#1@1')),
    says: "Step 'ship' (visit 1, attempt 1) started before step 'review', which it depends on, had completed (event 15).",
  },
  {
    invariant: 'O6',
    tampering: 'a checkpoint of a step that has not completed',
    sound: 'plain',
    tamper: (run) =>
      withEvents(
        run,
        copy('step_start review#1@1', checkpointOf('000009-docs', 99), 'step_start review#1@1'),
      ),
    says: [
      "Step 'review' (visit 1, attempt 1) has a checkpoint and had not completed (event 14).",
      "Step 'review' (visit 1, attempt 1) has a checkpoint '000009-docs' that should be '000099-review' (event 14).",
      "Step 'review' (visit 1, attempt 1) has a checkpoint of event 99, which is still to come (event 14).",
    ],
  },
  {
    invariant: 'O6',
    tampering: 'a gated step completes without its gate',
    sound: 'plain',
    tamper: (run) => withEvents(run, remove('gate_result review#1@1')),
    says: "Step 'review' (visit 1, attempt 1) completed although its gate had not passed (event 16).",
  },
  {
    invariant: 'O6',
    tampering: 'a gate fails and the work goes on',
    sound: 'plain',
    tamper: (run) =>
      withEvents(run, change('gate_result review#1@1', { status: 'failed', route: { to: 'fail' } })),
    says: "Step 'review' (visit 1, attempt 1) completed although its gate had not passed (event 17).",
  },
  {
    invariant: 'O6',
    tampering: 'a gate passes and sends work back',
    sound: 'troubled',
    tamper: (run) => withEvents(run, change('gate_result review#1@1', { status: 'passed' })),
    says: "Step 'review' (visit 1, attempt 1) has a gate that passed and goes to 'loop' (event 22).",
  },
  {
    invariant: 'O6',
    tampering: 'work that a gate sent back is skipped',
    sound: 'troubled',
    tamper: (run) =>
      withEvents(run, (events) => {
        const gone = ['step_start', 'artifacts_prepared', 'step_finish']
        return gone.reduce((left, kind) => remove(`${kind} build#2@1`)(left), events)
      }),
    says: [
      "Step 'review' (visit 2, attempt 1) started before step 'build', which it depends on, had completed (event 25).",
      "Step 'build' was lost: the run completed at event 34 without it.",
    ],
  },
  {
    invariant: 'O6',
    tampering: 'a step ends that was never started',
    sound: 'plain',
    tamper: (run) => withEvents(run, remove('step_start plan#1@1')),
    says: "Step 'plan' (visit 1, attempt 1) went on with artifacts_prepared without having started (event 1).",
  },
  {
    invariant: 'O6',
    tampering: 'a step starts while it is running',
    sound: 'plain',
    tamper: (run) => withEvents(run, copy('step_start docs#1@1', { attempt: 2 }, 'step_start build#1@1')),
    says: "Step 'docs' (visit 1, attempt 1) started while its attempt 'docs#1@2' was still running (event 7).",
  },
  {
    invariant: 'O6',
    tampering: 'a step of no workflow',
    sound: 'plain',
    tamper: (run) => withEvents(run, copy('step_start plan#1@1', { step: 'plane' }, 'workflow_start')),
    says: "Step 'plane' (visit 1, attempt 1) is no step of the workflow (event 1).",
  },
  {
    invariant: 'O6',
    tampering: 'a step goes to another agent',
    sound: 'plain',
    tamper: (run) => withEvents(run, change('step_start ship#1@1', { agent: 'writer' })),
    says: "Step 'ship' (visit 1, attempt 1) went to agent 'writer', and its definition names 'shipper' (event 18).",
  },
  {
    invariant: 'O6',
    tampering: 'more steps at once than allowed',
    sound: 'plain',
    tamper: (run) =>
      withEvents(run, ([start, ...rest]) => {
        const definition = { ...(start?.['definition'] as object), limits: { maxConcurrentSteps: 1 } }
        return [{ ...start, definition }, ...rest]
      }),
    says: "Step 'docs' (visit 1, attempt 1) started as number 2 in flight, and the limit is 1 (event 6).",
  },
  {
    invariant: 'O6',
    tampering: 'a step is lost',
    sound: 'plain',
    tamper: (run) => withEvents(run, remove('step_finish ship#1@1')),
    says: "Step 'ship' was lost: the run completed at event 21 without it.",
  },
  {
    invariant: 'O6',
    tampering: 'an event follows the end',
    sound: 'plain',
    tamper: (run) => withEvents(run, copy('step_start ship#1@1', { attempt: 2 }, 'workflow_end')),
    says: "Event 23 (step_start of step 'ship' (visit 1, attempt 2)) follows the end of the run: it had completed at event 22.",
  },
  {
    invariant: 'O6',
    tampering: 'a step goes on after the run has failed',
    sound: 'failed',
    tamper: (run) => withEvents(run, copy('step_start ship#1@1', { attempt: 2 }, 'workflow_end')),
    says: "Step 'ship' went on (visit 1, attempt 2) at event 21 although the run had failed at event 20.",
  },

  {
    invariant: 'O7',
    tampering: 'state.json differs from the log',
    sound: 'troubled',
    tamper: (run) => withState(run, (body) => ({ ...body, status: 'failed' })),
    says: 'The state.json at the end has status "failed", and the log adds up to "completed" at event 37.',
  },
  {
    invariant: 'O7',
    tampering: 'a step of state.json differs from the log',
    sound: 'troubled',
    tamper: (run) => withState(run, (body) => setAttempt(body, 'build', 7)),
    says: 'The state.json at the end has steps.build.attempt 7, and the log adds up to 1 at event 37.',
  },
  {
    invariant: 'O7',
    tampering: 'state.json is damaged and nobody says so',
    sound: 'plain',
    tamper: (run) => ({ ...run, files: withFile(run.files, statePathOf(run), '{') }),
    says: 'The state.json at the end is not JSON, and nobody said so.',
  },
  {
    invariant: 'O7',
    tampering: 'state.json was changed without its checksum',
    sound: 'plain',
    tamper: (run) => {
      const text = new TextDecoder().decode(run.files.get(statePathOf(run)))
      const changed = text.replace('"status":"completed"', '"status":"running"')
      return { ...run, files: withFile(run.files, statePathOf(run), changed) }
    },
    says: 'The state.json at the end does not match its checksum, and nobody said so.',
  },
  {
    invariant: 'O7',
    tampering: 'state.json is ahead of the log',
    sound: 'plain',
    tamper: (run) => withState(run, (body) => ({ ...body, seq: 23 })),
    says: 'The state.json at the end ends with event 23, and the log has only 23 whole events.',
  },
  {
    invariant: 'O7',
    tampering: 'state.json is missing at the end',
    sound: 'plain',
    tamper: (run) => ({ ...run, files: withoutFile(run.files, statePathOf(run)) }),
    says: 'The run has ended without a state.json.',
  },
  {
    invariant: 'O7',
    tampering: 'last.json is ahead of the log',
    sound: 'plain',
    tamper: (run) => ({
      ...run,
      files: withFile(run.files, '.workflow/last.json', JSON.stringify({ runId: run.runId, seq: 23 })),
    }),
    says: 'last.json vouches for event 23, and the log ends with event 22.',
  },
  {
    invariant: 'O7',
    tampering: 'a life left a damaged state.json and nobody says so',
    sound: 'resumed',
    tamper: (run) => withLife(run, 0, { disk: withFile(lifeOf(run, 0).disk, statePathOf(run), '') }),
    says: 'The state.json that incarnation 1 left is not JSON, and nobody said so.',
  },

  {
    invariant: 'O8',
    tampering: 'a step that had been reported complete is lost',
    sound: 'crashed',
    tamper: (run) => withEvents(run, remove('step_finish build#1@1')),
    says: "Step 'build' (visit 1) was lost: incarnation 2 had reported it complete at event 10, and the log no longer says so.",
  },
  {
    invariant: 'O8',
    tampering: 'another step stands where a completion had been reported',
    sound: 'crashed',
    tamper: (run) => withLife(run, 1, { told: { completedSteps: [{ step: 'docs', visit: 1, seq: 8 }] } }),
    says: "Step 'docs' (visit 1) was lost: incarnation 2 had reported it complete at event 8, and the log no longer says so.",
  },
  {
    invariant: 'O8',
    tampering: 'an end that had been reported is lost',
    sound: 'resumed',
    tamper: (run) => withEvents(run, remove('workflow_end')),
    says: 'Incarnation 1 had reported the run failed, and the log no longer says so.',
  },
  {
    invariant: 'O8',
    tampering: 'the caller was told of an end that the log does not have',
    sound: 'failed',
    tamper: (run) => ({ ...run, ending: { status: 'completed' } }),
    says: 'The caller was told that the run is completed, and by its log it is failed.',
  },

  {
    invariant: 'O9',
    tampering: 'a further resume runs a step',
    sound: 'failed',
    tamper: (run) =>
      withSecond(run, { executions: [{ step: 'ship', visit: 1, attempt: 2, incarnation: 2 }] }),
    says: "A further resume called step 'ship' again (visit 1, attempt 2, incarnation 2).",
  },
  {
    invariant: 'O9',
    tampering: 'a further resume of a failed run adds work',
    sound: 'failed',
    tamper: (run) => withSecondEvents(run, copy('step_start ship#1@1', { attempt: 2 }, 'workflow_resume')),
    says: "A further resume added event 22 (step_start of step 'ship' (visit 1, attempt 2)).",
  },
  {
    invariant: 'O9',
    tampering: 'a completed run can be resumed',
    sound: 'resumed',
    tamper: (run) =>
      withSecondEvents(run, (events) => [
        ...events,
        events.find(({ kind }) => kind === 'workflow_resume') as object as never,
      ]),
    says: 'A further resume added event 27 (workflow_resume).',
  },
  {
    invariant: 'O9',
    tampering: 'a further resume cuts the log',
    sound: 'plain',
    tamper: (run) => withSecondEvents(run, (events) => events.slice(0, -1)),
    says: 'A further resume shortened the log: event 22 (workflow_end) is gone.',
  },
  {
    invariant: 'O9',
    tampering: 'a further resume changes a file',
    sound: 'plain',
    tamper: (run) => withSecond(run, { files: withFile(run.files, 'docs.md', '') }),
    says: "A further resume changed file 'docs.md'.",
  },
  {
    invariant: 'O9',
    tampering: 'a further resume removes a file',
    sound: 'plain',
    tamper: (run) => withSecond(run, { files: withoutFile(run.files, 'docs.md') }),
    says: "A further resume removed file 'docs.md'.",
  },

  {
    invariant: 'O10',
    tampering: 'anything of O0 to O9 after a crash in the recovery',
    sound: 'crashedInRecovery',
    tamper: (run) => ({ ...run, files: withFile(run.files, '.workflow/last.json.tmp', '') }),
    says: "After a crash in the recovery (incarnation 2), O4 is broken: Temporary file '.workflow/last.json.tmp' was left behind.",
  },

  {
    invariant: 'O11',
    tampering: 'an error is swallowed',
    sound: 'failed',
    tamper: (run) => ({ ...run, errors: [] }),
    says: "Fault 'agent-error' at 1/ship#1@1:agent.invoke:shipper#1 was swallowed: no error that names 'no carrier' reached the caller.",
  },
  {
    invariant: 'O11',
    tampering: 'an error names another cause',
    sound: 'failed',
    tamper: (run) => ({ ...run, errors: [{ message: 'something went wrong', kind: 'exception' }] }),
    says: "Fault 'agent-error' at 1/ship#1@1:agent.invoke:shipper#1 was swallowed: no error that names 'no carrier' reached the caller.",
  },
  {
    invariant: 'O11',
    tampering: 'an error has neither code nor kind',
    sound: 'failed',
    tamper: (run) => ({ ...run, errors: [{ message: 'no carrier' }] }),
    says: "Fault 'agent-error' at 1/ship#1@1:agent.invoke:shipper#1 reached the caller as an error without code or kind: no carrier.",
  },

  {
    invariant: 'O12',
    tampering: 'an attempt is left out',
    sound: 'troubled',
    tamper: (run) => withEvents(run, change('step_start build#1@3', { attempt: 4 })),
    says: "Step 'build' (visit 1, attempt 4) started at event 10 where attempt 3 was due.",
  },
  {
    invariant: 'O12',
    tampering: 'a visit is left out',
    sound: 'troubled',
    tamper: (run) => withEvents(run, change('step_start build#2@1', { visit: 3 })),
    says: "Step 'build' (visit 3, attempt 1) started at event 24 in a visit that is not the one after visit 1.",
  },
  {
    invariant: 'O12',
    tampering: 'more retries than declared',
    sound: 'troubled',
    tamper: (run) =>
      withEvents(
        run,
        copy(
          'step_retry build#1@2',
          { attempt: 3, delayMs: 4_000, notBefore: 1767225605000 },
          'step_start build#1@3',
        ),
      ),
    says: "Step 'build' (visit 1, attempt 3) was to be retried at event 11, and its 2 retries were used up.",
  },
  {
    invariant: 'O12',
    tampering: 'another delay than declared',
    sound: 'troubled',
    tamper: (run) => withEvents(run, change('step_retry build#1@2', { delayMs: 1_000 })),
    says: "Step 'build' (visit 1, attempt 2) was to be retried after 1000 ms, and 2000 ms are declared.",
  },
  {
    invariant: 'O12',
    tampering: 'a wait that is not the delay',
    sound: 'troubled',
    tamper: (run) => withEvents(run, change('step_retry build#1@2', { notBefore: 1767225602000 })),
    says: "Step 'build' (visit 1, attempt 2) was to be retried after 2000 ms, and waits 1000 ms.",
  },
  {
    invariant: 'O12',
    tampering: 'an attempt before its wait is over',
    sound: 'troubled',
    tamper: (run) => withEvents(run, change('step_start build#1@3', { at: 1767225602000 })),
    says: "Step 'build' (visit 1, attempt 3) started 1000 ms before its wait was over.",
  },
  {
    invariant: 'O12',
    tampering: 'a retry of what will not pass',
    sound: 'troubled',
    tamper: (run) =>
      withEvents(run, change('step_retry build#1@2', { error: { kind: 'validation', message: 'no' } })),
    says: "Step 'build' (visit 1, attempt 2) was to be retried at event 9 after an error that is permanent ('validation').",
  },
  {
    invariant: 'O12',
    tampering: 'a retry of what says that it is permanent',
    sound: 'troubled',
    tamper: (run) =>
      withEvents(
        run,
        change('step_retry build#1@2', {
          error: { kind: 'exception', category: 'permanent', message: 'no' },
        }),
      ),
    says: "Step 'build' (visit 1, attempt 2) was to be retried at event 9 after an error that is permanent ('exception').",
  },
  {
    invariant: 'O12',
    tampering: 'a step is given up with retries left',
    sound: 'troubled',
    tamper: (run) => withEvents(run, change('step_retry build#1@2', { kind: 'step_fail', status: 'failed' })),
    says: "Step 'build' (visit 1, attempt 2) was given up at event 9 with retries left: 1 of 2.",
  },

  {
    invariant: 'O13',
    tampering: 'an attempt is ended before its limit',
    sound: 'troubled',
    tamper: (run) => withEvents(run, change('step_retry docs#1@1', { at: 1767225650000 })),
    says: "Step 'docs' (visit 1, attempt 1) timed out after 50 s, earlier than its limit of 1 min.",
  },
  {
    invariant: 'O13',
    tampering: 'an attempt is ended after its limit',
    sound: 'troubled',
    tamper: (run) => withEvents(run, change('step_retry docs#1@1', { at: 1767225670000 })),
    says: "Step 'docs' (visit 1, attempt 1) timed out after 1 min 10 s, later than its limit of 1 min.",
  },
  {
    invariant: 'O13',
    tampering: 'a step completes after its limit',
    sound: 'troubled',
    tamper: (run) => withEvents(run, change('artifacts_prepared docs#1@2', { at: 1767225791000 })),
    says: "Step 'docs' (visit 1, attempt 2) completed after 2 min 10 s, and its limit is 1 min.",
  },
  {
    invariant: 'O13',
    tampering: 'the run is ended before its limit',
    sound: 'overtime',
    tamper: (run) => withEvents(run, change('workflow_end', { at: 1767225601000 })),
    says: 'The run timed out after 1 s, earlier than its limit of 1 h.',
  },
  {
    invariant: 'O13',
    tampering: 'the run is ended by a limit that it has not',
    sound: 'overtime',
    tamper: (run) =>
      withEvents(run, ([start, ...rest]) => {
        const definition = { ...(start?.['definition'] as object), limits: { maxConcurrentSteps: 5 } }
        return [{ ...start, definition }, ...rest]
      }),
    says: 'The run timed out, and it has no limit.',
  },
  {
    invariant: 'O13',
    tampering: 'a late result counts',
    sound: 'troubled',
    tamper: (run) => withEvents(run, copy('late_result docs#1@1', { attempt: 2 }, 'step_finish docs#1@2')),
    says: "Step 'docs' (visit 1, attempt 2) completed at event 19 by a result that came too late.",
  },
  {
    invariant: 'O13',
    tampering: 'a late result is thrown away in silence',
    sound: 'troubled',
    tamper: (run) => withEvents(run, remove('late_result docs#1@1')),
    says: "The late result of step 'docs' (visit 1, attempt 1, incarnation 1) was thrown away without a word.",
  },

  {
    invariant: 'O14',
    tampering: 'a negative duration',
    sound: 'plain',
    tamper: (run) => withEvents(run, change('step_finish plan#1@1', { durationMs: -3 })),
    says: "Step 'plan' (visit 1, attempt 1) took -3 ms by event 4.",
  },
  {
    invariant: 'O14',
    tampering: 'an event before the one ahead of it',
    sound: 'plain',
    tamper: (run) => withEvents(run, change('workflow_end', { at: 1767225599990 })),
    says: 'Event 22 (workflow_end) lies 10 ms before the event ahead of it.',
  },
  {
    invariant: 'O14',
    tampering: 'a retry is forgotten',
    sound: 'troubled',
    tamper: (run) => withEvents(run, remove('step_start build#1@3')),
    says: "Step 'build' (visit 1) was to be tried again by event 9, and never was.",
  },
  {
    invariant: 'O14',
    tampering: 'a timer fires twice',
    sound: 'troubled',
    tamper: (run) => withEvents(run, copy('step_retry docs#1@1', {}, 'step_retry docs#1@1')),
    says: "Step 'docs' (visit 1, attempt 1) ended twice: at event 14 and at event 15.",
  },

  {
    invariant: 'O15',
    tampering: 'a key of no visit',
    sound: 'plain',
    tamper: (run) => withEffect(run, { idempotencyKey: `${run.runId}/ship#1@1` }),
    says: "Effect 'mail' of step 'ship' carries key '<run>/ship#1@1', which is of no visit of it.",
  },
  {
    invariant: 'O15',
    tampering: 'an effect twice at a receiver that honours keys',
    sound: 'plain',
    tamper: (run) => withEffect(run, { count: 2, honoursKeys: true }),
    says: "Effect 'mail' of step 'ship' (visit 1) was duplicated: it happened 2 times under one key.",
  },
  {
    invariant: 'O15',
    tampering: 'an effect twice in one execution',
    sound: 'plain',
    tamper: (run) => withEffect(run, { count: 2 }),
    says: "Effect 'mail' of step 'ship' (visit 1) was duplicated: it happened 2 times in 1 execution.",
  },

  {
    invariant: 'O17',
    tampering: 'damage in the middle is passed over',
    sound: 'refused',
    tamper: (run) => {
      const { refusal: _, ...life } = lifeOf(run, 0)
      return { ...run, earlierLives: [life] }
    },
    says: 'The log that incarnation 1 left is damaged at line 2 (event 1 does not match its checksum), and the run was taken over all the same.',
  },
  {
    invariant: 'O17',
    tampering: 'the refusal names another line',
    sound: 'refused',
    tamper: (run) =>
      withLife(run, 0, {
        refusal: { code: 'STATE_CORRUPT', message: 'events.jsonl is damaged: line 7 (event 6)' },
      }),
    says: 'The log that incarnation 1 left is damaged at line 2 (event 1 does not match its checksum), and the refusal does not say so: events.jsonl is damaged: line 7 (event 6)',
  },
  {
    invariant: 'O17',
    tampering: 'events that state.json vouches for are missing',
    sound: 'resumed',
    tamper: (run) => {
      const log = logOf(eventsIn(lifeOf(run, 0).disk, logPathOf(run)).slice(0, 16))
      return withLife(run, 0, { disk: withFile(lifeOf(run, 0).disk, logPathOf(run), log) })
    },
    says: 'The log that incarnation 1 left is damaged at line 17 (event 16 is missing although event 20 was known to be durable), and the run was taken over all the same.',
  },
  {
    invariant: 'O17',
    tampering: 'a cut tail is dropped in silence',
    sound: 'torn',
    tamper: (run) => withEvents(run, change('workflow_resume', { tailCutAtSeq: undefined })),
    says: 'The log that incarnation 1 left is cut at event 5 (line 6 is cut short), and the resume at event 5 says nothing.',
  },
  {
    invariant: 'O17',
    tampering: 'a whole log is said to be cut',
    sound: 'crashed',
    tamper: (run) => withEvents(run, change('workflow_resume', { tailCutAtSeq: 4 })),
    says: 'The log that incarnation 1 left is whole, and the resume at event 5 says that event 4 was cut.',
  },
  {
    invariant: 'O17',
    tampering: 'a cut tail is refused as damage',
    sound: 'torn',
    tamper: (run) =>
      withLife(run, 0, {
        refusal: { code: 'STATE_CORRUPT', message: 'events.jsonl is damaged: line 5 (event 4)' },
      }),
    says: 'The log that incarnation 1 left has lost nothing that was known to be durable, and was refused: events.jsonl is damaged: line 5 (event 4)',
  },

  {
    invariant: 'O19',
    tampering: 'a lock is left',
    sound: 'plain',
    tamper: (run) => ({ ...run, files: withFile(run.files, `.workflow/runs/${run.runId}/lock`, '{}') }),
    says: "The lock of the run is still there: '.workflow/runs/<run>/lock'.",
  },
  {
    invariant: 'O19',
    tampering: 'a file is left open',
    sound: 'plain',
    tamper: (run) => withLeftovers(run, { openFiles: ['events.jsonl'] }),
    says: "File 'events.jsonl' is still open.",
  },
  {
    invariant: 'O19',
    tampering: 'a timer is left',
    sound: 'plain',
    tamper: (run) => withLeftovers(run, { timers: ['limit of docs#1@1'] }),
    says: 'A timer is still pending: limit of docs#1@1.',
  },
  {
    invariant: 'O19',
    tampering: 'a call is left',
    sound: 'plain',
    tamper: (run) => withLeftovers(run, { calls: ['docs#1@1'] }),
    says: 'A call is still in flight: docs#1@1.',
  },

  {
    invariant: 'O20',
    tampering: 'a field of another type',
    sound: 'plain',
    tamper: (run) => withEvents(run, change('step_finish docs#1@1', { durationMs: '5' })),
    says: 'Line 13 of the log (event 12, kind "step_finish") has not the shape of an event: durationMs: Invalid input: expected number, received string.',
  },
  {
    invariant: 'O20',
    tampering: 'a field that is missing',
    sound: 'plain',
    tamper: (run) => withEvents(run, change('step_finish docs#1@1', { output: undefined })),
    says: 'Line 13 of the log (event 12, kind "step_finish") has not the shape of an event: output: there must be either this or outputBlob.',
  },
  {
    invariant: 'O20',
    tampering: 'a kind that does not exist',
    sound: 'plain',
    tamper: (run) => withEvents(run, change('workflow_end', { kind: 'workflow_stop' })),
    says: 'Line 23 of the log (event 22, kind "workflow_stop") has not the shape of an event: no event has this kind.',
  },
  {
    invariant: 'O20',
    tampering: 'a recovery loses a field that it does not know',
    sound: 'crashed',
    tamper: (run) => {
      const path = logPathOf(run)
      const [first, ...rest] = eventsIn(lifeOf(run, 0).disk, path)
      const log = lineOf({ ...first, colour: 'red' }) + logOf(rest)
      return withLife(run, 0, { disk: withFile(lifeOf(run, 0).disk, path, log) })
    },
    says: "Event 0 has another 'colour' than incarnation 1 wrote.",
  },
]

function withCall(run: Evidence, call: Execution): Evidence {
  return { ...run, executions: [...run.executions, call] }
}

function withEffect(run: Evidence, fields: Partial<Evidence['effects'][number]>): Evidence {
  return { ...run, effects: run.effects.map((effect) => ({ ...effect, ...fields })) }
}

function withLeftovers(run: Evidence, fields: Partial<NonNullable<Evidence['leftovers']>>): Evidence {
  return { ...run, leftovers: { openFiles: [], timers: [], calls: [], ...fields } }
}

function withSecond(run: Evidence, fields: Partial<NonNullable<Evidence['secondResume']>>): Evidence {
  const second = run.secondResume as NonNullable<Evidence['secondResume']>
  return { ...run, secondResume: { ...second, ...fields } }
}

function withSecondEvents(run: Evidence, edit: Parameters<typeof withEvents>[1]): Evidence {
  const { files } = run.secondResume as NonNullable<Evidence['secondResume']>
  return withSecond(run, { files: withEvents({ ...run, files }, edit).files })
}

function withLogText(run: Evidence, edit: (text: string) => string): Evidence {
  const text = new TextDecoder().decode(run.files.get(logPathOf(run)))
  return { ...run, files: withFile(run.files, logPathOf(run), edit(text)) }
}

function lifeOf(run: Evidence, index: number): EndedLife {
  return run.earlierLives[index] as EndedLife
}

function setAttempt(body: Readonly<Record<string, unknown>>, step: string, attempt: number) {
  const steps = body['steps'] as Readonly<Record<string, object>>
  return { ...body, steps: { ...steps, [step]: { ...steps[step], attempt } } }
}

function checkpointOf(name: string, throughSeq: number): Readonly<Record<string, unknown>> {
  const lineSha256 = '0'.repeat(64)
  return { kind: 'checkpoint', status: 'saved', name, throughSeq, lineSha256, because: 'interval' }
}
