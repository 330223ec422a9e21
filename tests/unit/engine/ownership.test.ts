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
