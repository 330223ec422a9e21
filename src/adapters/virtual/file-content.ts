import { encodeUtf8 } from '../../core/index.ts'
import type { FileData } from '../../ports/index.ts'

/**
 * The content of a file as a value: the first `count` of a list of chunks. Appending adds to the same list as long as
 * nobody else has, so that an append costs the same whatever the size of the file, and every earlier content stays what
 * it was and may be shared between disks.
 */
export interface FileContent {
  chunks: FileData[]
  count: number
}

export function contentOf(data: FileData): FileContent {
  return { chunks: [unchangeable(data)], count: 1 }
}

export function appended(content: FileContent, data: FileData): FileContent {
  const { count } = content
  // A longer list has grown from this content already, and belongs to that growth.
  const chunks = content.chunks.length === count ? content.chunks : content.chunks.slice(0, count)
  chunks.push(unchangeable(data))
  return { chunks, count: count + 1 }
}

/** The bytes, as a copy that the caller may change. */
export function contentBytes(content: FileContent): Uint8Array {
  return inOnePiece(content).slice()
}

export function contentSize(content: FileContent): number {
  return inOnePiece(content).length
}

/** Text needs no copy: strings cannot change. */
function unchangeable(data: FileData): FileData {
  return typeof data === 'string' ? data : new Uint8Array(data)
}

function inOnePiece(content: FileContent): Uint8Array {
  const [first] = content.chunks
  if (content.count === 1 && first !== undefined && typeof first !== 'string') return first
  const bytes = joined(content.chunks.slice(0, content.count))
  content.chunks = [bytes]
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
