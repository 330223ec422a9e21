import { defineWorkflow } from '../../../../src/engine/index.ts'
import { agentError, gateFailure } from '../../../../src/fault-injection/index.ts'
import type { Agents } from '../../../../src/harness/index.ts'
import { canonicalOutcome } from '../../../../src/harness/invariants/index.ts'
import type { Evidence } from '../../../../src/harness/invariants/index.ts'
import { watchedRun } from '../../../support/evidence.ts'
import type { WatchedRun } from '../../../support/evidence.ts'

/** Two branches that meet, a review that can send work back, and a step behind its gate. */
export const release = defineWorkflow({
  id: 'release',
  settings: { timeout: '10m' },
  steps: [
    { id: 'plan', agent: 'writer', creates: ['plan.md'], requires: [] },
    { id: 'build', agent: 'writer', creates: ['build.md'], depends_on: ['plan'], retries: 2 },
    { id: 'docs', agent: 'writer', creates: ['docs.md'], depends_on: ['plan'], timeout: '1m', retries: 1 },
    {
      id: 'review',
      agent: 'writer',
      creates: ['review.md'],
      depends_on: ['build', 'docs'],
      gate: { condition: 'output.good == true', onFail: 'build', maxLoops: 2 },
    },
    { id: 'ship', agent: 'shipper', creates: ['ship.md'], depends_on: ['review'] },
  ],
})

export const agents: Agents = {
  writer: async ({ step, artifacts }) => {
    await artifacts.write(`${step}.md`, `# ${step}\n`)
    return { step, good: true }
  },
  shipper: async ({ step, artifacts, effect }) => {
    await effect('mail', () => {})
    await artifacts.write(`${step}.md`, `# ${step}\n`)
    return { step }
  },
}

/** Answers in `docs` only after its first attempt has run out of time. */
const lateAgents: Agents = {
  ...agents,
  writer: async (context) => {
    const { step, attempt, clock } = context
    if (step === 'docs' && attempt === 1) await clock.sleep(90_000).catch(() => {})
    return agents['writer']?.(context)
  },
}

const overnight = defineWorkflow({
  id: 'overnight',
  settings: { timeout: '1h' },
  steps: [
    { id: 'wait', agent: 'sleeper', timeout: '24h', requires: [] },
    { id: 'wake', agent: 'sleeper', depends_on: ['wait'] },
  ],
})

/** Runs that are as they should be, each with the part that its name says. */
export interface SoundEvidences {
  /** Without any fault. */
  readonly plain: Evidence
  /** Died by a power loss between two steps, and again in the middle of one. */
  readonly crashed: Evidence
  /** Died between two steps, and again in the middle of the recovery. */
  readonly crashedInRecovery: Evidence
  /** Retried, timed out, and sent back by the review. */
  readonly troubled: Evidence
  /** Failed for good, and said so. */
  readonly failed: Evidence
  /** Failed, and completed after a resume. */
  readonly resumed: Evidence
  /** Went on after a crash had cut its last line. */
  readonly torn: Evidence
  /** Refused to go on after a line that was known to be durable had been damaged. */
  readonly refused: Evidence
  /** Had a file changed by its operator, aloud. */
  readonly edited: Evidence
  /** Failed at its review, and was resumed from where the review leads back to. */
  readonly reopened: Evidence
  /** Found an artifact changed after a crash, and made it and all that depends on it again. */
  readonly rebuilt: Evidence
  readonly cancelled: Evidence
  /** Ran out of the workflow's time. */
  readonly overtime: Evidence
}

export async function soundEvidences(): Promise<SoundEvidences> {
  const plain = await finished(await watchedRun(release, { agents }))
  const reference = await canonicalOutcome(plain)
  const more = { reference }

  const crashed = await watchedRun(release, { agents })
  await crashed.move((session) => session.runUntil('plan'))
  await crashed.crash({ disk: 'power-min' })
  await crashed.resume()
  await crashed.move((session) => session.next())
  await crashed.crash()
  await crashed.resume()

  const crashedInRecovery = await watchedRun(release, { agents })
  await crashedInRecovery.move((session) => session.runUntil({ before: 'review' }))
  await crashedInRecovery.crash()
  await crashedInRecovery.crashInResume(4, { disk: 'power-min' })
  await crashedInRecovery.resume()

  const troubled = await watchedRun(release, {
    agents: lateAgents,
    faults: [agentError('build', { times: 2 }), gateFailure('review')],
  })

  const failing = { agents, faults: [agentError('ship', { message: 'no carrier' })] }
  const failed = await watchedRun(release, failing)
  const resumed = await watchedRun(release, failing)
  await resumed.move((session) => session.runToEnd())
  await resumed.resume()

  const torn = await watchedRun(release, { agents })
  await torn.move((session) => session.runUntil('plan'))
  await torn.crash({
    damage: (files) => files.perform({ op: 'append', path: logOf(torn), data: '0badc0de {"v":1,"seq":4' }),
  })
  await torn.resume()

  const refused = await watchedRun(release, { agents })
  await refused.move((session) => session.runUntil('review'))
  await refused.crash({
    damage(files) {
      const bytes = files.perform({ op: 'read', path: logOf(refused) })?.slice() as Uint8Array
      bytes[bytes.indexOf(0x0a) + 40] = 0x21
      files.perform({ op: 'write', path: logOf(refused), data: bytes })
    },
  })
  await refused.resume()

  const edited = await watchedRun(release, { agents })
  await edited.move((session) => session.runUntil('plan'))
  await edited.session.edit('notes.md', 'by hand\n')

  const reopened = await watchedRun(release, { agents, faults: [gateFailure('review', { times: 3 })] })
  await reopened.move((session) => session.runToEnd())
  await reopened.resume({ from: 'loop-target' })

  const rebuilt = await watchedRun(release, { agents })
  await rebuilt.move((session) => session.runUntil('review'))
  await rebuilt.crash({
    damage: (files) => files.perform({ op: 'write', path: 'build.md', data: 'by somebody' }),
  })
  await rebuilt.resume({ artifacts: 'rebuild' })

  const cancelled = await watchedRun(release, { agents })
  await cancelled.move((session) => session.next())
  await cancelled.move((session) => session.next())
  await cancelled.move((session) => session.cancel('enough'))

  const sleeper: Agents = { sleeper: async ({ clock }) => clock.sleep(2 * 3_600_000) }
  const overtime = await watchedRun(overnight, { agents: sleeper })

  return {
    plain: { ...plain, reference },
    crashed: await finished(crashed, more),
    crashedInRecovery: await finished(crashedInRecovery, more),
    troubled: await finished(troubled, more),
    failed: await finished(failed, { ...more, faults: [reported('1/ship#1@1:agent.invoke:shipper#1')] }),
    resumed: await finished(resumed, { ...more, faults: [reported('1/ship#1@1:agent.invoke:shipper#1')] }),
    torn: await finished(torn, more),
    refused: await refused.evidence({
      ...more,
      faults: [{ fault: 'bit-flip', key: '1/run:disk', class: 'detect-only', cause: 'events.jsonl' }],
    }),
    edited: await itsOwnReference(await finished(edited)),
    reopened: await finished(reopened, more),
    rebuilt: await finished(rebuilt, more),
    cancelled: await itsOwnReference(await cancelled.evidence()),
    overtime: await itsOwnReference(await finished(overtime)),
  }
}

function reported(key: string): Evidence['faults'][number] {
  return { fault: 'agent-error', key, class: 'reportable', cause: 'no carrier' }
}

async function itsOwnReference(evidence: Evidence): Promise<Evidence> {
  return { ...evidence, reference: await canonicalOutcome(evidence) }
}

async function finished(run: WatchedRun, more: Partial<Evidence> = {}): Promise<Evidence> {
  await run.move((session) => session.runToEnd())
  return run.evidence(more)
}

function logOf({ session }: WatchedRun): string {
  return `.workflow/runs/${session.runId}/events.jsonl`
}
