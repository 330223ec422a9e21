import { describe, expect, test } from 'vitest'
import { createDigest } from '../../../src/adapters/node/index.ts'
import {
  createSeededIds,
  createVirtualClock,
  createVirtualFiles,
} from '../../../src/adapters/virtual/index.ts'
import {
  createConditionGate,
  createReferenceDriver,
  defineWorkflow,
  loadWorkflow,
} from '../../../src/engine/index.ts'
import type { FilesPort, Incarnation, OwnerIdentity, OwnerPort } from '../../../src/ports/index.ts'

const everything = { holds: new Set<string>(), stopsAfter: () => false, maxResults: Infinity }

function owner(nonce: string, liveness: ReturnType<OwnerPort['liveness']> = 'dead'): OwnerPort {
  const self: OwnerIdentity = { nonce, pid: 42, startTime: '1', bootId: 'boot', host: 'there' }
  return { self, liveness: () => liveness }
}

function life(files: FilesPort, who: OwnerPort, agent: () => Promise<null> = async () => null): Incarnation {
  return createReferenceDriver().incarnate({
    files,
    clock: createVirtualClock(),
    agents: { has: () => true, names: [], invoke: agent },
    gates: createConditionGate(),
    ids: createSeededIds(1),
    digest: createDigest(),
    owner: who,
    observer: {
      event() {
        throw new Error('an observer must not stop a run')
      },
      log() {},
    },
    wake() {},
    projectFolder: undefined,
  })
}

async function started(): Promise<{ readonly files: FilesPort; readonly incarnation: Incarnation }> {
  const files = createVirtualFiles()
  const { definition } = await loadWorkflow(
    defineWorkflow({
      id: 'one',
      steps: [
        { id: 'only', agent: 'worker' },
        { id: 'next', agent: 'worker' },
      ],
    }),
  )
  const incarnation = life(files, owner('first'), () => new Promise(() => {}))
  await incarnation.start({ definition, input: null, seed: 1, correlationId: 'c', launch: {} })
  await incarnation.tick(everything)
  return { files, incarnation }
}

/** Another process takes the run over, brings it to its end and lets go. */
async function complete(files: FilesPort): Promise<void> {
  const other = life(files, owner('other'))
  await other.recover({})
  while (other.state().status === 'running') {
    await other.tick(everything)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await other.close()
}

describe('one owner', () => {
  test('stands in the lock with process, boot and epoch, also when a dead one is taken over', async () => {
    const { files } = await started()
    const lock = (await files.perform({ op: 'list', path: '.workflow/runs' }))?.[0]?.name
    const record = async (): Promise<unknown> => {
      const bytes = await files.perform({ op: 'read', path: `.workflow/runs/${lock}/lock` })
      return JSON.parse(new TextDecoder().decode(bytes))
    }
    expect(await record()).toMatchObject({ owner: { nonce: 'first', pid: 42, bootId: 'boot' }, epoch: 1 })
    await life(files, owner('second')).recover({})
    expect(await record()).toMatchObject({ owner: { nonce: 'second', pid: 42, bootId: 'boot' }, epoch: 2 })
  })

  test('a living holder is named and nothing is touched', async () => {
    const { files } = await started()
    await expect(async () => life(files, owner('second', 'alive')).recover({})).rejects.toThrow(
      `is held by process 42 on host 'there', which is alive. Wait for it, or end it first.`,
    )
  })

  test('a dead holder is taken over under a new epoch', async () => {
    const { files } = await started()
    const second = life(files, owner('second'))
    expect(await second.recover({})).toMatchObject({ restarts: ['only'] })
    expect(second.state().epoch).toBe(2)
  })

  test('a holder on another host is taken over only when told so', async () => {
    const { files } = await started()
    const second = life(files, owner('second', 'elsewhere'))
    await expect(async () => second.recover({})).rejects.toThrow('a process on another host cannot be asked')
    expect(await second.recover({ takeOver: true })).toMatchObject({ restarts: ['only'] })
  })

  test('a cancelled run is over: its step is recorded as cancelled and it cannot be resumed', async () => {
    const { files, incarnation } = await started()
    await incarnation.cancel('changed our minds')
    expect(incarnation.state().status).toBe('cancelled')
    expect(incarnation.state().steps['only']?.error?.message).toBe(
      `Step 'only' was cancelled: changed our minds`,
    )
    await expect(async () => life(files, owner('second')).recover({})).rejects.toThrow(
      'has been cancelled; there is nothing to resume',
    )
  })

  test('letting go leaves a run that another process can take at once', async () => {
    const { files, incarnation } = await started()
    await incarnation.close()
    expect(await life(files, owner('second', 'alive')).recover({})).toMatchObject({ restarts: ['only'] })
  })

  test('a run that somebody else has moved on while it was being read is read again', async () => {
    const { files } = await started()
    const log = (): unknown => files.perform({ op: 'read', path: logPath })
    const [runId] =
      (await files.perform({ op: 'list', path: '.workflow/runs' }))?.map(({ name }) => name) ?? []
    const logPath = `.workflow/runs/${runId}/events.jsonl`
    let completed: unknown
    const slow: FilesPort = {
      perform(operation) {
        // The other process comes in when all is read and the lock is about to be taken.
        if (operation.op !== 'writeNew' || completed !== undefined) return files.perform(operation)
        completed = false
        return complete(files)
          .then(() => (completed = log()))
          .then(() => files.perform(operation)) as never
      },
    }
    await expect(async () => life(slow, owner('slow')).recover({})).rejects.toThrow(
      'has completed; there is nothing to resume',
    )
    expect(completed).toBeInstanceOf(Uint8Array)
    expect(log()).toStrictEqual(completed)
  })

  test('a start that was cut short before its first event leaves nothing to resume, and says so', async () => {
    const files = createVirtualFiles({ '.workflow/runs/one-1/lock': '{}' })
    for (const left of [undefined, '', '{"crc":"'] as const) {
      if (left !== undefined)
        files.perform({ op: 'write', path: '.workflow/runs/one-1/events.jsonl', data: left })
      await expect(async () => life(files, owner('second')).recover({ runId: 'one-1' })).rejects.toThrow(
        `Run 'one-1' ended before its first event was recorded, so no step of it has run. Start a new run.`,
      )
    }
  })

  test('a last pointer that is gone leaves the choice to the caller', async () => {
    const { files, incarnation } = await started()
    await incarnation.close()
    await files.perform({ op: 'remove', path: '.workflow/last.json' })
    await expect(async () => life(files, owner('second')).recover({})).rejects.toThrow(
      /^Nothing says which run was the last\. Name one of: 'one-[0-9a-f]{8}'\.$/,
    )
    await expect(async () => life(createVirtualFiles(), owner('x')).recover({})).rejects.toThrow(
      'No run has been started here',
    )
    await expect(async () => life(files, owner('x')).recover({ runId: 'one' })).rejects.toThrow(
      `There is no run 'one'`,
    )
  })
})
