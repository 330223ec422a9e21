import { encodeUtf8 } from '../../core/index.ts'
import type { FileData } from '../../ports/index.ts'
import { StreamHasher, type StreamHash } from './stream-hash.ts'

/**
 * The content of a file as a value: the first `count` of a list of chunks. Appending adds to the same list as long as
 * nobody else has, so that an append costs the same whatever the size of the file, and every earlier content stays what
 * it was and may be shared between disks.
 */
export interface FileContent {
  list: ChunkList
  count: number
}

interface ChunkList {
  /** None is empty. */
  readonly chunks: FileData[]
  /** Of the first, the first two, and so on, as far as somebody has asked: hashing goes on from there. */
  readonly hashes: StreamHash[]
}

/** Bytes from an offset up to another. */
export interface Stretch {
  readonly from: number
  readonly to: number
}

export function contentOf(data: FileData): FileContent {
  if (data.length === 0) return { list: { chunks: [], hashes: [] }, count: 0 }
  return { list: { chunks: [unchangeable(data)], hashes: [] }, count: 1 }
}

export function appended(content: FileContent, added: FileContent): FileContent {
  const { count } = content
  // A longer list has grown from this content already, and belongs to that growth.
  const list = content.list.chunks.length === count ? content.list : firstChunks(content.list, count)
  for (let index = 0; index < added.count; index++) list.chunks.push(added.list.chunks[index] ?? nothing)
  return { list, count: list.chunks.length }
}

/** The first bytes, cut between any two. */
export function contentStart(content: FileContent, size: number): FileContent {
  return contentOf(inOnePiece(content).subarray(0, size))
}

/** The content with other bytes from an offset on, and zeros before it where there was nothing. */
export function overwritten(content: FileContent, offset: number, added: FileContent): FileContent {
  const bytes = new Uint8Array(Math.max(contentSize(content), offset + contentSize(added)))
  bytes.set(inOnePiece(content))
  bytes.set(inOnePiece(added), offset)
  return contentOf(bytes)
}

/** The content with zeros in some stretches. */
export function blanked(content: FileContent, stretches: readonly Stretch[]): FileContent {
  const bytes = contentBytes(content).slice()
  for (const { from, to } of stretches) bytes.fill(0, from, to)
  return contentOf(bytes)
}

/** The bytes, the same ones each time, which nobody may write to. */
export function contentBytes(content: FileContent): Uint8Array {
  return inOnePiece(content)
}

export function contentSize(content: FileContent): number {
  return inOnePiece(content).length
}

export function isEmpty(content: FileContent): boolean {
  return content.count === 0
}

/** Equal for equal bytes. Costs what has been added since the content was last asked for, or one that it grew from. */
export function contentHash({ list, count }: FileContent): StreamHash {
  const { chunks, hashes } = list
  for (let index = hashes.length; index < count; index++) {
    const chunk = chunks[index] ?? nothing
    // Whoever reads it needs the bytes, too.
    const bytes = (chunks[index] = typeof chunk === 'string' ? encodeUtf8(chunk) : chunk)
    hashes.push(new StreamHasher(hashes[index - 1]).bytes(bytes))
  }
  return hashes[count - 1] ?? emptyHash
}

const emptyHash = new StreamHasher()

/** Text needs no copy: strings cannot change. */
function unchangeable(data: FileData): FileData {
  return typeof data === 'string' ? data : new Uint8Array(data)
}

function firstChunks(list: ChunkList, count: number): ChunkList {
  return { chunks: list.chunks.slice(0, count), hashes: list.hashes.slice(0, count) }
}

const nothing = new Uint8Array()

function inOnePiece(content: FileContent): Uint8Array {
  const { list, count } = content
  const [first] = list.chunks
  if (count === 0 || first === undefined) return nothing
  if (count === 1 && typeof first !== 'string') return first
  const bytes = joined(list.chunks.slice(0, count))
  content.list = { chunks: [bytes], hashes: list.hashes.slice(count - 1, count) }
  content.count = 1
  return bytes
}

/** Neighbouring texts are encoded in one go: one call per chunk costs far more than the bytes do. */
function joined(chunks: readonly FileData[]): Uint8Array {
  const pieces: Uint8Array[] = []
  let text = ''
  for (const chunk of chunks) {
    if (typeof chunk === 'string') {
      text += withoutOpenPair(chunk)
      continue
    }
    if (text !== '') pieces.push(encodeUtf8(text))
    text = ''
    pieces.push(chunk)
  }
  if (text !== '') pieces.push(encodeUtf8(text))
  return concatenated(pieces)
}

/** A text that ends inside a surrogate pair must not be completed by the next one: a real disk encodes each alone. */
function withoutOpenPair(text: string): string {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last <= 0xdbff ? `${text.slice(0, -1)}\ufffd` : text
}

function concatenated(pieces: readonly Uint8Array[]): Uint8Array {
  const [first] = pieces
  if (pieces.length === 1 && first !== undefined) return first
  const bytes = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0))
  let offset = 0
  for (const piece of pieces) {
    bytes.set(piece, offset)
    offset += piece.length
  }
  return bytes
}
