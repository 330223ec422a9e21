import { decodeUtf8 } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { DigestPort, FileProgram } from '../../ports/index.ts'
import type { KnownFiles, LastPointer } from '../../trace/index.ts'
import type { StoreLayout } from './layout.ts'
import { encodeState } from './state-file.ts'

export interface ReadPointer {
  /** Undefined when no run has been started or the file cannot be used. */
  readonly pointer: LastPointer | undefined
  /** Whether there is a file that cannot be used. */
  readonly damaged: boolean
}

export function* readLastPointer(
  store: StoreLayout,
  digest: DigestPort,
  known?: KnownFiles,
): FileProgram<ReadPointer> {
  const bytes = yield* perform({ op: 'read', path: store.last })
  if (bytes === undefined) return { pointer: undefined, damaged: false }
  const read = (): LastPointer | undefined => parsePointer(decodeUtf8(bytes), digest)
  const pointer = known === undefined ? read() : known.pointers.read(bytes, read)
  return { pointer, damaged: pointer === undefined }
}

export function encodePointer({ runId, seq }: LastPointer, digest: DigestPort): string {
  return encodeState(JSON.stringify({ runId, seq }), digest)
}

/** One that has no checksum was written before there was one. */
function parsePointer(text: string, digest: DigestPort): LastPointer | undefined {
  try {
    const members = JSON.parse(text) as Partial<LastPointer>
    const { runId, seq } = members
    if (typeof runId !== 'string' || typeof seq !== 'number') return undefined
    const pointer = { runId, seq }
    const intact =
      Object.keys(members).length === 2 || text.trimEnd() === encodePointer(pointer, digest).trimEnd()
    return intact ? pointer : undefined
  } catch {
    return undefined
  }
}
