import { decodeUtf8, joinPath } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { FileProgram } from '../../ports/index.ts'
import { replaceFile } from './durable-file.ts'
import type { RunLayout } from './layout.ts'

/** A wish that whoever holds a run cancel it: a file in its folder, which the holder takes away once it has read it. */
export function* requestCancel(layout: RunLayout, reason: string): FileProgram<void> {
  yield* replaceFile(requestPath(layout), `${JSON.stringify({ reason })}\n`)
}

/** The reason of a wish that is there, which is taken away; undefined when there is none. */
export function* takeCancelRequest(layout: RunLayout): FileProgram<string | undefined> {
  const path = requestPath(layout)
  const bytes = yield* perform({ op: 'read', path })
  if (bytes === undefined) return undefined
  yield* perform({ op: 'remove', path })
  return reasonIn(decodeUtf8(bytes))
}

function requestPath({ folder }: RunLayout): string {
  return joinPath(folder, 'cancel.json')
}

/** One that cannot be read is a wish all the same. */
function reasonIn(text: string): string {
  try {
    const { reason } = JSON.parse(text) as { readonly reason?: unknown }
    if (typeof reason === 'string' && reason !== '') return reason
  } catch {
    // Not ours to mend.
  }
  return 'cancelled from outside'
}
