import { beforeAll, describe, expect, test } from 'vitest'
import { createDigest } from '../../../../src/adapters/node/index.ts'
import { canonicalJson, decodeUtf8, encodeUtf8 } from '../../../../src/core/index.ts'
import { loadEventShapes } from '../../../../src/harness/invariants/event-shapes.ts'
import type {
  EventShapes,
  LoggedEvent,
  LoggedEventOf,
} from '../../../../src/harness/invariants/event-shapes.ts'
import { foldLog } from '../../../../src/harness/invariants/fold.ts'
import type { FoldedRun } from '../../../../src/harness/invariants/fold.ts'
import { builtInInvariants, canonicalOutcome, judge } from '../../../../src/harness/invariants/index.ts'
import type { Evidence } from '../../../../src/harness/invariants/index.ts'
import { eventOf, lineOf, linesInCommon, readLog } from '../../../../src/harness/invariants/log-reading.ts'
import type { LogReading } from '../../../../src/harness/invariants/log-reading.ts'
import { readState } from '../../../../src/harness/invariants/state-reading.ts'
import { isTextOf, stateOf } from '../../../../src/harness/invariants/state-document.ts'
import {
  change,
  copy,
  eventsIn,
  logPathOf,
  statePathOf,
  withEvents,
  withFile,
  withoutFile,
} from '../../../support/tamper.ts'
import type { Tampered } from '../../../support/tamper.ts'
import { soundEvidences } from './evidences.ts'
import type { SoundEvidences } from './evidences.ts'

const digest = createDigest()
let sound: SoundEvidences
let shapes: EventShapes
let log: Uint8Array
beforeAll(async () => {
  shapes = await loadEventShapes()
  sound = await soundEvidences()
  log = sound.plain.files.get(logPathOf(sound.plain)) as Uint8Array
})

describe('a log that is read after another that begins like it', () => {
  test('has the lines of its own bytes, whatever byte it departs with', () => {
    read(log)
    for (let index = 0; index < log.length; index += 61) {
      const other = log.with(index, (log[index] as number) ^ 1)
      expect(summary(read(other))).toEqual(summaryOf(other))
      expect(summary(read(log.slice()))).toEqual(summaryOf(log))
    }
  })

  test('has the lines of its own bytes, wherever it is cut or goes on otherwise', () => {
    read(log)
    const tail = encodeUtf8('deadbeef {}\n')
    for (let length = 0; length < log.length; length += 61) {
      const cut = log.slice(0, length)
      expect(summary(read(cut))).toEqual(summaryOf(cut))
      const otherwise = new Uint8Array([...cut, ...tail])
      expect(summary(read(otherwise))).toEqual(summaryOf(otherwise))
    }
    expect(summary(read(new Uint8Array([...log, ...tail])))).toEqual(
      summaryOf(new Uint8Array([...log, ...tail])),
    )
  })

  test('is not that one where bytes that are no text read alike', () => {
    const [one, other] = [log.with(40, 0xff), log.with(40, 0xfe)]
    expect(read(one).bytes).toEqual(one)
    expect(read(other).bytes).toEqual(other)
    expect(read(other).wholeEvents).toBe(0)
  })

  test('shares its events with it, and the same bytes are read once', () => {
    const whole = read(log.slice())
    const cut = read(log.slice(0, whole.ends[7]))
    expect(cut.events).toHaveLength(8)
    for (const [index, event] of cut.events.entries()) expect(event).toBe(whole.events[index])
    expect(read(log.slice())).toBe(whole)
  })
})

test('whole lines that logs have in common are counted wherever they go apart, short ones too', () => {
  const whole = read(log)
  for (const length of [0, 1, 40, 5_000]) {
    for (const line of ['', 'abc\n', '\n', '\n\n', 'abc']) {
      const cut = new Uint8Array([...log.subarray(0, length), ...encodeUtf8(line)])
      const departing = new Uint8Array([...cut, ...encodeUtf8('deadbeef {}\n')])
      const ends = whole.ends.filter((end) => end <= length).length
      expect([linesInCommon(whole, cut), linesInCommon(whole, departing)]).toEqual([ends, ends])
      expect(linesInCommon(read(cut), departing)).toBe(read(cut).ends.length)
      expect(linesInCommon(read(departing), cut)).toBe(read(cut).ends.length)
    }
  }
  // The same again behind what is not.
  const between = whole.ends[3] as number
  const mended = log.with(between - 9, (log[between - 9] as number) ^ 1)
  expect([linesInCommon(whole, mended), linesInCommon(read(mended), log)]).toEqual([3, 3])
})

test('a line is found by its number where lines are damaged or out of sequence', () => {
  const { lines, events, ends } = read(log)
  const between = (from: number, to: number): Uint8Array => log.subarray(ends[from - 1] ?? 0, ends[to - 1])
  const moved = read(new Uint8Array([...between(0, 2), ...between(4, 6), ...between(2, 4), ...between(4, 6)]))
  expect(moved.wholeEvents).toBe(2)
  for (const seq of [0, 1, 2, 3, 4, 5]) {
    expect(lineOf(moved, seq)).toBe(lines[seq])
    expect(eventOf(moved, seq)).toBe(events[seq])
  }
  expect([lineOf(moved, 6), eventOf(moved, 6)]).toEqual([undefined, undefined])
})

describe('a state.json as it is written', () => {
  const judgesState = builtInInvariants.filter(({ name }) => name === 'O7')

  test.each(['plain', 'crashed', 'troubled', 'failed', 'edited', 'cancelled'] as const)(
    'is told from one that differs in any member: %s',
    async (name) => {
      const evidence = sound[name]
      expect(await judged(evidence, bodyOf(evidence))).toEqual([])
      const passed: string[] = []
      for (const [path, other] of departures(bodyOf(evidence))) {
        if ((await judged(evidence, other)).length === 0) passed.push(path)
        // What is known to be right is still right, and was not taken for the other.
        expect(await judged(evidence, bodyOf(evidence))).toEqual([])
      }
      // How often it was saved, and in which format, the log does not say. Of another run it is nobody's snapshot.
      expect(passed).toEqual(['runId', 'saveSeq', 'schemaVersion'])
    },
  )

  test('is told from one with more or fewer members, steps and artifacts', async () => {
    const body = bodyOf(sound.plain)
    const { steps, artifacts } = body as { steps: Tampered; artifacts: readonly Tampered[] }
    const { ship, ...others } = steps
    for (const other of [
      { ...body, zebra: 1 },
      { ...body, aardvark: 1 },
      { ...body, steps: { ...steps, zebra: ship } },
      { ...body, steps: others },
      { ...body, artifacts: artifacts.slice(1) },
      { ...body, artifacts: artifacts.toReversed() },
      { ...body, artifacts: [...artifacts, artifacts[0]] },
    ]) {
      expect(await judged(sound.plain, other)).not.toEqual([])
    }
    const free = ['saveSeq', 'schemaVersion', 'runId']
    for (const member of Object.keys(body).filter((name) => !free.includes(name))) {
      const { [member]: gone, ...rest } = body
      expect(await judged(sound.plain, rest), `without ${member}, ${String(gone)}`).not.toEqual([])
    }
  })

  test('is no JSON when a number in it begins with a zero', async () => {
    const text = canonicalJson(bodyOf(sound.plain)).replace('"saveSeq":', '"saveSeq":0')
    expect(await sentencesOf(withState(sound.plain, text))).toEqual([
      'The state.json at the end is not JSON, and nobody said so.',
    ])
  })

  test('has to hold its checksum though it says what the log adds up to', async () => {
    const path = statePathOf(sound.plain)
    const text = decodeUtf8(sound.plain.files.get(path) as Uint8Array)
    const other = text.replace(
      /"checksum":"./,
      (start) => `${start.slice(0, -1)}${start.endsWith('0') ? 1 : 0}`,
    )
    const files = withFile(sound.plain.files, path, other)
    expect(await sentencesOf({ ...sound.plain, files })).toEqual([
      'The state.json at the end does not match its checksum, and nobody said so.',
    ])
  })

  test('is held against the log beside it, though it was right beside another', async () => {
    const { plain } = sound
    expect(await sentencesOf(plain)).toEqual([])
    const other = withEvents(plain, change('step_finish ship#1@1', { output: { step: 'shop' } }))
    expect(await sentencesOf(other)).toEqual([
      'The state.json at the end has steps.ship.output.step "ship", and the log adds up to "shop" at event 22.',
    ])
    const agents = withEvents(plain, ([start, ...rest]) => {
      const definition = start?.['definition'] as { steps: readonly Tampered[] }
      const steps = definition.steps.map((step) => ({ ...step, agent: 'other' }))
      return [{ ...start, definition: { ...definition, steps } }, ...rest]
    })
    expect(await sentencesOf(agents)).toContain(
      'The state.json at the end has steps.plan.agent "writer", and the log adds up to "other" at event 22.',
    )
    expect(await sentencesOf(plain)).toEqual([])
  })

  test('names the agents of the definition in force, though steps are the same under another', () => {
    const events = eventsIn(sound.resumed.files, logPathOf(sound.resumed)) as unknown as LoggedEvent[]
    const resumed = events.findIndex(({ kind }) => kind === 'workflow_resume')
    const { definition } = events[0] as LoggedEventOf<'workflow_start'>
    const steps = definition.steps.map((step) => ({ ...step, agent: 'other' }))
    const adopts = { definition: { ...definition, steps }, definitionSha256: '0'.repeat(64) }
    const adopting = events.with(resumed, { ...events[resumed], adopts } as LoggedEvent)
    const [before, after] = [resumed - 1, resumed].map((seq) => foldLog(adopting, seq) as FoldedRun) as [
      FoldedRun,
      FoldedRun,
    ]
    expect(after.steps.get('plan')).toBe(before.steps.get('plan'))
    expect([isTextOf(textOf(before), before), isTextOf(textOf(after), before)]).toEqual([true, false])
    expect([isTextOf(textOf(after), after), isTextOf(textOf(before), after)]).toEqual([true, false])
  })

  function textOf(run: FoldedRun): Uint8Array {
    return encodeUtf8(canonicalJson({ ...stateOf(run), saveSeq: 1, schemaVersion: 1 }).slice(0, -1))
  }

  async function judged(evidence: Evidence, body: Tampered): Promise<readonly string[]> {
    return sentencesOf(withState(evidence, canonicalJson(body)))
  }

  async function sentencesOf(evidence: Evidence): Promise<readonly string[]> {
    return (await judge(evidence, judgesState)).violations.map(({ sentence }) => sentence)
  }
})

describe('what is known of a log', () => {
  test('is said of each run as far as its clock allows', async () => {
    const late = withEvents(sound.troubled, (events) =>
      events.map((event) =>
        event['kind'] === 'step_retry' ? { ...event, at: Number(event['at']) + 7 } : event,
      ),
    )
    const jump = { fault: 'clock', key: '1/run:clock', class: 'survivable', movesClock: true } as const
    const virtual = await saidOf(late, ['O12', 'O13', 'O14'])
    expect(virtual).toHaveLength(5)
    expect(await saidOf({ ...late, faults: [jump] }, ['O12', 'O13', 'O14'])).toEqual([])
    expect(await saidOf({ ...late, clock: 'real' }, ['O12', 'O13', 'O14'])).toEqual(
      virtual.filter((sentence) => sentence.includes('and waits')),
    )
    expect(await saidOf(late, ['O12', 'O13', 'O14'])).toEqual(virtual)
  })

  test('is said of each run with its own calls', async () => {
    const again = withEvents(sound.resumed, copy('step_start build#1@1', { attempt: 2 }, 'workflow_resume'))
    const call = { step: 'build', visit: 1, attempt: 2, incarnation: 7 }
    const called = { ...again, executions: [...again.executions, call] }
    expect((await saidOf(again, ['O2']))[0]).toContain('(visit 1, attempt 2, incarnation 2)')
    expect((await saidOf(called, ['O2']))[0]).toContain('(visit 1, attempt 2, incarnation 7)')
    expect((await saidOf(again, ['O2']))[0]).toContain('(visit 1, attempt 2, incarnation 2)')
  })

  test('is said of each run with its own id and files', async () => {
    const { plain } = sound
    expect(await saidOf(plain, ['O3', 'O5'])).toEqual([])
    const path = logPathOf(plain).replace(plain.runId, 'another')
    const another = { ...plain, runId: 'another', files: withFile(plain.files, path, log) }
    expect(await saidOf(another, ['O5'])).toHaveLength(read(log).lines.length)
    expect(await saidOf({ ...plain, files: withoutFile(plain.files, 'ship.md') }, ['O3'])).toHaveLength(1)
    expect(await saidOf(plain, ['O3', 'O5'])).toEqual([])
  })
})

test('a file is missed whatever its name', async () => {
  const { plain } = sound
  for (const name of ['constructor', '__proto__', 'toString']) {
    const more = withFile(plain.files, name, 'here')
    const reference = await canonicalOutcome({ ...plain, files: more })
    expect(await saidOf({ ...plain, reference }, ['O1'])).toHaveLength(1)
    expect(await saidOf({ ...plain, files: more }, ['O1'])).toHaveLength(1)
    expect(await saidOf({ ...plain, reference, files: more }, ['O1'])).toEqual([])
  }
})

async function saidOf(evidence: Evidence, names: readonly string[]): Promise<readonly string[]> {
  const asked = builtInInvariants.filter(({ name }) => names.includes(name))
  return (await judge(evidence, asked)).violations.map(({ sentence }) => sentence)
}

function bodyOf(evidence: Evidence): Tampered {
  const text = decodeUtf8(evidence.files.get(statePathOf(evidence)) as Uint8Array)
  const { checksum, ...body } = JSON.parse(text) as Tampered
  expect(checksum).toMatch(/^[0-9a-f]{64}$/)
  return body
}

/** With a checksum that holds, at the end, as the engine writes it. */
function withState(evidence: Evidence, body: string): Evidence {
  const text = `${body.slice(0, -1)},"checksum":"${digest.sha256(body)}"}\n`
  return { ...evidence, files: withFile(evidence.files, statePathOf(evidence), text) }
}

/** Each with one value in it changed, by the path of that. */
function* departures(value: unknown, path: readonly string[] = []): Generator<[string, Tampered]> {
  if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      for (const [at, other] of departures(member, [...path, name])) {
        const copy = (Array.isArray(value) ? [...value] : { ...value }) as Tampered
        copy[name] = other
        yield [at, copy]
      }
    }
  } else {
    const other = typeof value === 'number' ? value + 1 : `${String(value)}x`
    yield [path.join('.'), other as unknown as Tampered]
  }
}

function read(bytes: Uint8Array): LogReading {
  return readLog(bytes, digest, shapes)
}

/** What is intact of a log, line by line, and how far it goes. */
function summary({ lines, events, wholeEvents, ends }: LogReading): unknown {
  return {
    whole: lines.map(({ value }) => value?.['seq']),
    events: events.map(({ seq }) => seq),
    wholeEvents,
    ends,
  }
}

/** The same worked out by itself. */
function summaryOf(bytes: Uint8Array): unknown {
  const ends = Array.from(bytes, (byte, index) => (byte === 0x0a ? index + 1 : 0)).filter((end) => end > 0)
  const lines = ends.map((end, index) => decodeUtf8(bytes.subarray(ends[index - 1] ?? 0, end - 1)))
  const whole = lines.map((line) => {
    const isIntact = Number.parseInt(line.slice(0, 8), 16) === digest.crc32(line.slice(9)) && line[8] === ' '
    return isIntact ? (JSON.parse(line.slice(9)) as { seq?: number }).seq : undefined
  })
  if ((ends.at(-1) ?? 0) < bytes.length) whole.push(undefined)
  const odd = whole.findIndex((seq, index) => seq !== index)
  const events = whole.filter((seq) => seq !== undefined)
  return { whole, events, wholeEvents: odd < 0 ? whole.length : odd, ends }
}

test('a state that Node has read is left as it is by whoever judges it', () => {
  const body = canonicalJson({ runId: 'nobody has read it before', seq: 3 })
  const text = `${body.slice(0, -1)},"checksum":"${digest.sha256(body)}"}\n`
  const bytes = Buffer.from(text)
  expect(readState(bytes, digest, () => [])).toMatchObject({ seq: 3 })
  expect(bytes.toString()).toBe(text)
})
