import type { FileData } from '../../ports/index.ts'

/**
 * The content of a file as an immutable value: what was there before plus one chunk. An append makes one small object,
 * whatever the size of the file, and every earlier content stays what it was, so that disks can share them.
 */
export interface FileContent {
  /** Both are replaced when the content is first read: the same bytes in one piece. */
  previous: FileContent | undefined
  chunk: FileData
}

export const emptyContent: FileContent = { previous: undefined, chunk: '' }

export function contentOf(data: FileData): FileContent {
  return { previous: undefined, chunk: owned(data) }
}

export function appended(content: FileContent, data: FileData): FileContent {
  return { previous: content === emptyContent ? undefined : content, chunk: owned(data) }
}

/** The bytes, as a copy that the caller may change. */
export function contentBytes(content: FileContent): Uint8Array {
  return flattened(content).slice()
}

export function contentSize(content: FileContent): number {
  return flattened(content).length
}

/** Text needs no copy: strings cannot change. */
function owned(data: FileData): FileData {
  return typeof data === 'string' ? data : Uint8Array.prototype.slice.call(data)
}

function flattened(content: FileContent): Uint8Array {
  if (content.previous === undefined && typeof content.chunk !== 'string') return content.chunk
  const chunks: FileData[] = []
  for (let part: FileContent | undefined = content; part !== undefined; part = part.previous) {
    chunks.push(part.chunk)
  }
  const bytes = joined(chunks.reverse())
  content.previous = undefined
  content.chunk = bytes
  return bytes
}

const encoder = new TextEncoder()

/** Neighbouring texts are encoded in one go: one call per chunk costs far more than the bytes do. */
function joined(chunks: readonly FileData[]): Uint8Array {
  const pieces: Uint8Array[] = []
  let text = ''
  for (const chunk of chunks) {
    if (typeof chunk === 'string') {
      text += withoutOpenPair(chunk)
    } else {
      if (text !== '') pieces.push(encoder.encode(text))
      text = ''
      pieces.push(chunk)
    }
  }
  if (text !== '') pieces.push(encoder.encode(text))
  if (pieces.length === 1) return pieces[0] as Uint8Array
  const bytes = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0))
  let offset = 0
  for (const piece of pieces) {
    bytes.set(piece, offset)
    offset += piece.length
  }
  return bytes
}

/** A text that ends inside a surrogate pair must not be completed by the next one: a real disk encodes each alone. */
function withoutOpenPair(text: string): string {
  const last = text.charCodeAt(text.length - 1)
  return last >= 0xd800 && last <= 0xdbff ? `${text.slice(0, -1)}\ufffd` : text
}
