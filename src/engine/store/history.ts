import { FaultlineError, joinPath, messageOf } from '../../core/index.ts'
import { perform } from '../../ports/index.ts'
import type { DriverPorts, FileProgram, SavedState } from '../../ports/index.ts'
import type { StateDocument } from '../../trace/index.ts'
import { corrupt } from './corrupt.ts'
import { ensureFolder, replaceFile } from './durable-file.ts'
import type { RunLayout } from './layout.ts'
import { decodeState } from './state-file.ts'

type HistoryPorts = Pick<DriverPorts, 'digest' | 'compression'>

/** Puts a copy of the present `state.json` into the history. One that does not verify is not worth keeping. */
export function* keepState(
  {
    layout,
    ports,
    durableFolders,
  }: { readonly layout: RunLayout; readonly ports: HistoryPorts; readonly durableFolders: Set<string> },
  compress: boolean,
): FileProgram<void> {
  const bytes = yield* perform({ op: 'read', path: layout.state })
  const state = bytes === undefined ? undefined : decodeState(bytes, ports.digest).document
  if (bytes === undefined || state === undefined) return
  const name = `${String(state.saveSeq).padStart(6, '0')}-${state.seq}.json`
  yield* ensureFolder(layout.history, durableFolders)
  const { compression } = ports
  if (compress && compression !== undefined) {
    yield* replaceFile(joinPath(layout.history, `${name}.gz`), compression.gzip(bytes))
  } else yield* replaceFile(joinPath(layout.history, name), bytes)
}

/** Removes the oldest states until no more than `keep` are left. */
export function* pruneHistory(layout: RunLayout, keep: number): FileProgram<void> {
  const kept = yield* listHistory(layout)
  for (const { path } of kept.slice(0, Math.max(0, kept.length - keep))) {
    yield* perform({ op: 'remove', path })
  }
}

/** What the history holds, oldest first. */
export function* listHistory(layout: RunLayout): FileProgram<readonly SavedState[]> {
  const entries = (yield* perform({ op: 'list', path: layout.history })) ?? []
  return entries
    .flatMap(({ name }) => {
      const [, saveSeq, seq] = /^(\d+)-(\d+)\.json(?:\.gz)?$/.exec(name) ?? []
      return saveSeq === undefined
        ? []
        : [{ saveSeq: Number(saveSeq), seq: Number(seq), path: joinPath(layout.history, name) }]
    })
    .sort((left, right) => left.saveSeq - right.saveSeq)
}

/**
 * One state of the history, verified.
 *
 * @throws FaultlineError `STATE_CORRUPT` when it does not verify.
 */
export function* readSavedState(
  layout: RunLayout,
  saveSeq: number,
  ports: HistoryPorts,
): FileProgram<StateDocument> {
  const kept = yield* listHistory(layout)
  const found = kept.find((each) => each.saveSeq === saveSeq)
  const bytes = found === undefined ? undefined : yield* perform({ op: 'read', path: found.path })
  if (found === undefined || bytes === undefined) {
    const known = kept.map((each) => each.saveSeq).join(', ')
    throw new FaultlineError(
      'RUN_NOT_FOUND',
      `'${layout.history}' holds no state ${saveSeq}: ${known === '' ? 'it is empty' : `there are ${known}`}.`,
      { details: { saveSeq } },
    )
  }
  const { document, problem } = decodeState(unpacked(found.path, bytes, ports), ports.digest)
  if (document !== undefined) return document
  throw corrupt(found.path, problem, { saveSeq })
}

function unpacked(path: string, bytes: Uint8Array, { compression }: HistoryPorts): Uint8Array {
  if (!path.endsWith('.gz')) return bytes
  if (compression === undefined)
    throw new FaultlineError('CONFIGURATION_INVALID', `Nothing was given that could unpack '${path}'.`)
  try {
    return compression.gunzip(bytes)
  } catch (error) {
    throw corrupt(path, messageOf(error), {})
  }
}
