import { zipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import { createDigest } from '../../../src/adapters/node/index.ts'
import { packBundle, unpackBundle } from '../../../src/bundle/index.ts'
import { sampleContent, sampleFolder, writeSample } from '../../support/sample-bundle.ts'

const name = 'resumes-1a2b3c4d-a1'
const encoder = new TextEncoder()

type Entries = Record<string, Uint8Array>

/** A packed bundle as its entries, changed. */
async function zipWith(change: (entries: Entries) => void): Promise<Uint8Array> {
  const { files } = await writeSample()
  const { unzipSync } = await import('fflate')
  const entries = unzipSync(await packBundle(files, sampleFolder, name))
  change(entries)
  return zipSync(entries)
}

const unpack = (
  zip: Uint8Array,
  limits?: Parameters<typeof unpackBundle>[3],
): ReturnType<typeof unpackBundle> => unpackBundle(zip, 'it.zip', createDigest(), limits)

describe('a packed bundle', () => {
  test('is unpacked as it was, without what replays have left', async () => {
    const { files, texts } = await writeSample()
    files.perform({ op: 'makeFolder', path: `${sampleFolder}/replays` })
    files.perform({ op: 'write', path: `${sampleFolder}/replays/1`, data: 'mine' })
    const unpacked = await unpack(await packBundle(files, sampleFolder, name))
    expect(unpacked.name).toBe(name)
    expect(
      Object.fromEntries(
        [...unpacked.files].map(([path, bytes]) => [
          `${sampleFolder}/${path}`,
          new TextDecoder().decode(bytes),
        ]),
      ),
    ).toEqual(texts)
    expect([...unpacked.files.keys()].at(-1)).toBe('manifest.json')
  })

  test('has the same bytes each time', async () => {
    const once = await writeSample()
    const again = await writeSample()
    expect(await packBundle(once.files, sampleFolder, name)).toEqual(
      await packBundle(again.files, sampleFolder, name),
    )
  })

  test('is not made of a bundle that lacks a file', async () => {
    const { files } = await writeSample(sampleContent())
    files.perform({ op: 'remove', path: `${sampleFolder}/plan.json` })
    await expect(packBundle(files, sampleFolder, name)).rejects.toThrow("its file 'plan.json' is missing")
  })
})

describe('a ZIP from anybody', () => {
  test.each<[string, (entries: Entries) => void, string]>([
    [
      'climbs out of its folder',
      (zip) => (zip[`${name}/../../evil`] = encoder.encode('x')),
      `must not contain '..'`,
    ],
    ['has an absolute path', (zip) => (zip['/etc/evil'] = encoder.encode('x')), 'it must be relative'],
    [
      'has a path with backslashes',
      (zip) => (zip[`${name}\\..\\evil`] = encoder.encode('x')),
      `must not contain '..'`,
    ],
    [
      'holds more than its manifest lists',
      (zip) => (zip[`${name}/vitest.config.ts`] = encoder.encode('x')),
      'it holds files that its manifest does not list',
    ],
    [
      'holds another file than was packed',
      (zip) => (zip[`${name}/plan.json`] = encoder.encode('{}')),
      `its file 'plan.json' is not the one that was packed`,
    ],
    ['lacks a file', (zip) => delete zip[`${name}/plan.json`], `its file 'plan.json' is missing`],
    ['has no manifest', (zip) => delete zip[`${name}/manifest.json`], `it holds no '<bundle>/manifest.json'`],
  ])('that %s is refused', async (_, change, why) => {
    await expect(unpack(await zipWith(change))).rejects.toThrow(why)
  })

  test('that is no ZIP is refused', async () => {
    await expect(unpack(encoder.encode('no zip'))).rejects.toMatchObject({
      code: 'BUNDLE_INVALID',
      message: expect.stringMatching(/^'it\.zip' is not a packed bundle: it cannot be unpacked: /),
    })
  })

  test('that is too large or has too many files is refused before it is unpacked', async () => {
    const zip = await zipWith(() => {})
    await expect(unpack(zip, { files: 3, bytes: 1_000_000 })).rejects.toThrow('it holds more than 3 files')
    await expect(unpack(zip, { files: 100, bytes: 1_000 })).rejects.toThrow('it is larger than 1000 bytes')
  })

  test('that is larger than it says is cut, and refused', async () => {
    const honest = await zipWith(() => {})
    const lying = honest.slice()
    const view = new DataView(lying.buffer)
    // The size of every entry in the central directory, which is what is gone by.
    for (let at = 0; at < lying.length - 4; at++) {
      if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, 1, true)
    }
    await expect(unpack(lying, { files: 100, bytes: 100 })).rejects.toMatchObject({ code: 'BUNDLE_INVALID' })
  })
})
