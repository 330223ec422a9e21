export interface DigestPort {
  /** Lower-case hexadecimal SHA-256; text is taken as UTF-8. */
  readonly sha256: (data: string | Uint8Array) => string
  /** CRC-32 (the zlib polynomial) as an unsigned 32-bit number; text is taken as UTF-8. */
  readonly crc32: (data: string | Uint8Array) => number
}
