import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createDigest } from '../../../src/adapters/node/index.ts'
import { decodeLog, encodeLine } from '../../../src/trace/index.ts'
import type { WorkflowEvent } from '../../../src/trace/index.ts'

const { crc32 } = createDigest()

function event(seq: number, durableSeq = seq - 1): WorkflowEvent {
  const envelope = {
    v: 1,
    seq,
    epoch: 1,
    durableSeq,
    at: seq,
    workflowId: 'w',
    runId: 'run-1',
    correlationId: 'c',
  } as const
  return (
    seq === 0
      ? { ...envelope, kind: 'workflow_start', input: 'ünïcode' }
      : {
          ...envelope,
          kind: 'step_start',
          status: 'running',
          step: `s${seq}`,
          visit: 1,
          attempt: 1,
          agent: 'a',
        }
  ) as WorkflowEvent
}

function bytesOf(events: readonly WorkflowEvent[]): Uint8Array {
  return new TextEncoder().encode(events.map((each) => encodeLine(JSON.stringify(each), crc32)).join(''))
}

const events = Array.from({ length: 6 }, (_, seq) => event(seq))
const log = bytesOf(events)

describe('the log', () => {
  test('is read back as it was written', () => {
    expect(decodeLog(log, crc32)).toEqual({ events, validBytes: log.length, end: undefined })
  })

  test('cut anywhere, gives the whole lines before the cut and never more', () => {
    for (let cut = 0; cut <= log.length; cut++) {
      const decoded = decodeLog(log.subarray(0, cut), crc32)
      const whole = new TextDecoder().decode(log.subarray(0, cut)).split('\n').length - 1
      expect([cut, decoded.events]).toEqual([cut, events.slice(0, whole)])
      expect([cut, decoded.end?.kind]).toEqual([cut, decoded.validBytes === cut ? undefined : 'tail'])
    }
  })

  test('with any byte changed, never shows an event that was not written', () => {
    fc.assert(
      fc.property(fc.nat(log.length - 1), fc.integer({ min: 1, max: 255 }), (position, change) => {
        const damaged = log.slice()
        damaged[position] = (damaged[position] as number) ^ change
        const { events: read, end } = decodeLog(damaged, crc32)
        expect(read).toEqual(events.slice(0, read.length))
        expect(end).toBeDefined()
      }),
    )
  })

  test('damaged below what a later line knew to be durable, is corrupt; a torn group commit is a tail', () => {
    const damage = (lines: readonly WorkflowEvent[]): string => {
      const text = new TextDecoder().decode(bytesOf(lines)).replace('"step":"s3"', '"step":"sX"')
      return decodeLog(new TextEncoder().encode(text), crc32).end?.kind ?? 'none'
    }
    expect(damage(events)).toBe('corrupt')
    expect(damage([event(0), event(1), event(2, 1), event(3, 1), event(4, 1)])).toBe('tail')
  })

  test('shorter than somebody outside knows it to be, is corrupt, with line and event', () => {
    expect(decodeLog(log, crc32, 7).end).toEqual({
      kind: 'corrupt',
      line: 7,
      seq: 6,
      reason: 'the log ends although event 7 was known to be durable',
    })
  })

  test('with an event of an older epoch, another run or a gap, ends before it', () => {
    for (const [wrong, reason] of [
      [{ ...event(2), epoch: 0 }, 'epoch 0 is older than epoch 1 before it'],
      [{ ...event(2), runId: 'run-2' }, `the line belongs to run 'run-2'`],
      [event(3), 'the line carries event 3'],
    ] as const) {
      expect(decodeLog(bytesOf([event(0), event(1), wrong]), crc32).end).toMatchObject({ seq: 2, reason })
    }
  })
})
