export interface CompressionPort {
  /** gzip, as a file that every other tool reads too. */
  readonly gzip: (data: Uint8Array) => Uint8Array
  /** @throws when the data are not those of a gzip file. */
  readonly gunzip: (data: Uint8Array) => Uint8Array
}
