import { createDigest } from '../../src/adapters/node/index.ts'
import type { VirtualFiles } from '../../src/adapters/virtual/index.ts'
import { canonicalJson, encodeUtf8, systemError } from '../../src/core/index.ts'
import type { JsonObject } from '../../src/core/index.ts'
import type { FileData, FilesPort } from '../../src/ports/index.ts'
import { lineOf } from './tamper.ts'
import type { Tampered } from './tamper.ts'

/** A run on a simulated disk, beside another one that has completed. */
export interface RunOnDisk {
  readonly files: VirtualFiles
  readonly runId: string
  /** The files of the other run, last pointer included, as they were before this one was started. */
  readonly other: { readonly files: VirtualFiles; readonly runId: string }
}

export const runFiles = ['events.jsonl', 'state.json', 'last.json'] as const
export type RunFile = (typeof runFiles)[number]

export function pathOf(file: RunFile, runId: string): string {
  return file === 'last.json' ? `.workflow/${file}` : `.workflow/runs/${runId}/${file}`
}

/** One way in which one file of a run is damaged. */
export interface Damage {
  readonly kind: string
  /** What of the file is hit, such as an event, and which part of that. */
  readonly place: string
  readonly part: string
  /** The first event that is hit, if the file is the log. */
  readonly seq: number | undefined
  /** Damages a disk, and hands back how the next life sees it. */
  readonly inflict: (files: VirtualFiles) => FilesPort
}

/** Every way: at every byte of the file, and to the file as a whole. */
export function damagesOf(file: RunFile, run: RunOnDisk): readonly Damage[] {
  return [...damagesOfBytes(file, run), ...damagesOfFile(file, run)]
}

/** A part of a file: the bytes from one position up to the next region. */
interface Region extends Pick<Damage, 'place' | 'part' | 'seq'> {
  readonly from: number
}

function* damagesOfBytes(file: RunFile, run: RunOnDisk): Generator<Damage> {
  const path = pathOf(file, run.runId)
  const bytes = bytesAt(run.files, path)
  const regions = regionsOf[file](new TextDecoder().decode(bytes), run)
  for (const [position, byte] of bytes.entries()) {
    const { from: _, ...region } = regions.findLast((one) => one.from <= position) as Region
    const flipped = (bits: number) => (files: VirtualFiles) =>
      written(files, path, bytes.with(position, byte ^ bits))
    for (const bit of file === 'last.json' ? everyBit : [position % 8])
      yield { ...region, kind: 'one bit flipped', inflict: flipped(1 << bit) }
    yield { ...region, kind: 'all bits of a byte flipped', inflict: flipped(0xff) }
    if (position === 0) continue
    const atLineEnd = bytes[position - 1] === lineFeed
    yield {
      ...region,
      part: atLineEnd ? 'just before its line' : region.part,
      kind: 'cut',
      inflict: (files) => written(files, path, bytes.subarray(0, position)),
    }
  }
}

const lineFeed = 0x0a
const everyBit = [0, 1, 2, 3, 4, 5, 6, 7]

const regionsOf: Readonly<Record<RunFile, (text: string, run: RunOnDisk) => readonly Region[]>> = {
  'events.jsonl': (text) => {
    const lines = text.split(/(?<=\n)/)
    const { durableSeq } = JSON.parse((lines.at(-1) as string).slice(9)) as { readonly durableSeq: number }
    let next = 0
    return lines.flatMap((line, seq) => {
      const from = next
      next += encodeUtf8(line).length
      const place = seq === 0 ? 'event 0' : seq <= durableSeq ? 'an event between' : 'the last commit'
      return [
        { place, part: 'checksum', seq, from },
        { place, part: 'blank', seq, from: from + 8 },
        { place, part: 'JSON', seq, from: from + 9 },
        { place, part: 'line feed', seq, from: next - 1 },
      ]
    })
  },
  'state.json': (text) => {
    const checksum = text.indexOf('"checksum":"') + '"checksum":"'.length
    return regions([
      ['members', 0],
      ['checksum', checksum],
      ['members', text.indexOf('"', checksum)],
      ['line feed', text.length - 1],
    ])
  },
  'last.json': (text, { runId }) => {
    const id = text.indexOf(runId)
    const seq = text.indexOf('"seq":') + '"seq":'.length
    return regions([
      ['names and punctuation', 0],
      ['run id', id],
      ['names and punctuation', id + runId.length],
      ['sequence number', seq],
      ['names and punctuation', text.indexOf(',', seq)],
      ['checksum', text.indexOf('"checksum":"') + '"checksum":"'.length],
      ['names and punctuation', text.length - 3],
      ['line feed', text.length - 1],
    ])
  },
}

function regions(starts: readonly (readonly [part: string, from: number])[]): readonly Region[] {
  return starts.map(([part, from]) => ({ place: '', part, seq: undefined, from }))
}

function* damagesOfFile(file: RunFile, { files: intact, runId, other }: RunOnDisk): Generator<Damage> {
  const path = pathOf(file, runId)
  const seq = file === 'events.jsonl' ? 0 : undefined
  const whole = (kind: string, inflict: Damage['inflict']): Damage => {
    return { kind, place: 'the file', part: '', seq, inflict }
  }
  yield whole('removed', (files) => removed(files, path))
  yield whole('emptied', (files) => written(files, path, ''))
  yield whole('replaced by a folder', (files) => {
    removed(files, path).perform({ op: 'makeFolder', path })
    return files
  })
  yield whole('unreadable (EACCES)', (files) => ({
    perform(operation) {
      if (operation.op === 'read' && operation.path === path)
        throw systemError({ code: 'EACCES', syscall: 'open', path })
      return files.perform(operation)
    },
  }))
  const text = new TextDecoder().decode(bytesAt(intact, path))
  if (file !== 'last.json')
    yield whole('of a newer version', (files) => written(files, path, newerVersion[file](text)))
  const foreign = bytesAt(other.files, pathOf(file, other.runId))
  yield whole(`another run's`, (files) => written(files, path, foreign))
}

/** The content as a later faultline may write it. */
const newerVersion: Readonly<Record<Exclude<RunFile, 'last.json'>, (text: string) => string>> = {
  'events.jsonl': (text) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => lineOf({ ...(JSON.parse(line.slice(9)) as Tampered), v: 1_000 }))
      .join(''),
  'state.json': (text) => {
    const { checksum: _, ...body }: JsonObject = { ...JSON.parse(text), schemaVersion: 1_000 }
    return `${canonicalJson({ ...body, checksum: createDigest().sha256(canonicalJson(body)) })}\n`
  },
}

function written(files: VirtualFiles, path: string, data: FileData): VirtualFiles {
  files.perform({ op: 'write', path, data })
  return files
}

function removed(files: VirtualFiles, path: string): VirtualFiles {
  files.perform({ op: 'remove', path })
  return files
}

function bytesAt(files: VirtualFiles, path: string): Uint8Array {
  return files.perform({ op: 'read', path }) as Uint8Array
}
