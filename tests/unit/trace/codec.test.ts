import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createDigest } from '../../../src/adapters/node/index.ts'
import { decodeLog, encodeLine, KnownLog } from '../../../src/trace/index.ts'
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

describe('a log that begins like the one that was read last', () => {
  /** What is read of the last of some logs when those before it are known. */
  function readAfter(...logs: readonly Uint8Array[]): ReturnType<typeof decodeLog> {
    const known = new KnownLog()
    return logs.map((bytes) => decodeLog(bytes, crc32, -1, known)).at(-1) as ReturnType<typeof decodeLog>
  }

  test('is not checked and read again as far as it is the same', () => {
    const known = new KnownLog()
    const { events: before } = decodeLog(log, crc32, -1, known)
    let checked = 0
    const counting = (data: string | Uint8Array): number => {
      checked++
      return crc32(data)
    }
    const { events: after } = decodeLog(bytesOf([...events, event(6)]), counting, -1, known)
    expect(checked).toBe(1)
    expect(after.slice(0, 6).every((one, seq) => one === before[seq])).toBe(true)
  })

  test('says the same as without, whatever was read before it', () => {
    const lines = fc.nat(events.length).map((count) => bytesOf(events.slice(0, count)))
    const others = fc
      .tuple(fc.nat(events.length - 1), fc.nat(3))
      .map(([from, count]) =>
        bytesOf([
          ...events.slice(0, from),
          ...Array.from({ length: count }, (_, index) => ({ ...event(from + index), epoch: 2 })),
        ]),
      )
    const cut = fc
      .tuple(fc.oneof(lines, others), fc.nat(log.length))
      .map(([bytes, length]) => bytes.subarray(0, length))
    const damaged = fc
      .tuple(fc.oneof(lines, others), fc.nat(log.length), fc.integer({ min: 1, max: 255 }))
      .map(([bytes, position, change]) => {
        const copy = bytes.slice()
        if (position < copy.length) copy[position] = (copy[position] as number) ^ change
        return copy
      })
    fc.assert(
      fc.property(
        fc.array(fc.oneof(lines, others, cut, damaged), { minLength: 2, maxLength: 6 }),
        fc.integer({ min: -1, max: 8 }),
        (logs, vouchedSeq) => {
          const known = new KnownLog()
          for (const bytes of logs)
            expect(decodeLog(bytes, crc32, vouchedSeq, known)).toEqual(decodeLog(bytes, crc32, vouchedSeq))
        },
      ),
      { numRuns: 1_000, seed: 11 },
    )
  })

  test('is never answered from memory where a line is cut', () => {
    for (let cut = 0; cut < log.length; cut++) {
      const bytes = log.subarray(0, cut)
      expect([cut, readAfter(log, bytes)]).toEqual([cut, decodeLog(bytes, crc32)])
    }
  })

  test('is never answered from memory where a byte is damaged', () => {
    for (let position = 0; position < log.length; position++) {
      const bytes = log.with(position, (log[position] as number) ^ 1)
      expect([position, readAfter(log, bytes)]).toEqual([position, decodeLog(bytes, crc32)])
    }
  })

  test('has lines of its own where they only begin alike, or have the same number', () => {
    const longer = { ...event(3), action: 'more' } as WorkflowEvent
    for (const other of [longer, { ...event(3), at: 33 }, { ...event(3), epoch: 2 }]) {
      const bytes = bytesOf([...events.slice(0, 3), other])
      expect(readAfter(log, bytes).events).toEqual([...events.slice(0, 3), other])
      expect(readAfter(bytes, log).events).toEqual(events)
    }
  })

  test('is told apart from one whose bytes were written over', () => {
    const bytes = log.slice()
    const known = new KnownLog()
    decodeLog(bytes, crc32, -1, known)
    bytes.fill(0)
    expect(decodeLog(bytes, crc32, -1, known).events).toEqual([])
    expect(decodeLog(log, crc32, -1, known).events).toEqual(events)
  })

  test('keeps its events when a later one has fewer', () => {
    const known = new KnownLog()
    const first = decodeLog(log, crc32, -1, known)
    decodeLog(log.subarray(0, 10), crc32, -1, known)
    expect(first.events).toEqual(events)
  })
})
