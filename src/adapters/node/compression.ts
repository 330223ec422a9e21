import { gunzipSync, gzipSync } from 'node:zlib'
import type { CompressionPort } from '../../ports/index.ts'

export function createCompression(): CompressionPort {
  return { gzip: (data) => gzipSync(data), gunzip: (data) => gunzipSync(data) }
}
