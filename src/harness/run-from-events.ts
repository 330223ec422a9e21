import { createCompression, createDigest } from '../adapters/node/index.ts'
import { createInventedOwner, createVirtualFiles } from '../adapters/virtual/index.ts'
import { joinPath } from '../core/index.ts'
import { createReferenceDriver, runLayout, storeLayout } from '../engine/index.ts'
import type { RunLayout } from '../engine/index.ts'
import { encodeLine } from '../trace/index.ts'
import type { WorkflowEvent } from '../trace/index.ts'
import { remainsIn } from './run-remains.ts'
import type { RunRemains, TemplatePlace } from './run-remains.ts'

/**
 * The files that make a run what it was, by path: its log, and the outputs that lie beside it. Everything else in its folder is
 * derived from them.
 */
export function runFromEvents(
  layout: RunLayout,
  events: readonly WorkflowEvent[],
): ReadonlyMap<string, string> {
  const { crc32 } = createDigest()
  const files = new Map<string, string>()
  const lines = events.map((event) => {
    if (!('output' in event) || event.outputBlob === undefined)
      return encodeLine(JSON.stringify(event), crc32)
    const { output, ...rest } = event
    files.set(joinPath(layout.blobs, event.outputBlob.sha256), JSON.stringify(output))
    return encodeLine(JSON.stringify(rest), crc32)
  })
  return files.set(layout.log, lines.join(''))
}

/** What a run whose disk is gone would have left beside its artifacts; undefined when its events are not whole. */
export async function remainsOfEvents(
  runId: string,
  events: readonly WorkflowEvent[],
  template: TemplatePlace,
): Promise<RunRemains | undefined> {
  const disk = createVirtualFiles(
    Object.fromEntries(runFromEvents(runLayout(storeLayout({}), runId), events)),
  )
  const reader = createReferenceDriver().reader({
    files: disk,
    digest: createDigest(),
    compression: createCompression(),
    owner: createInventedOwner('reader'),
    directories: {},
  })
  return remainsIn(disk, reader, runId, template)
}
