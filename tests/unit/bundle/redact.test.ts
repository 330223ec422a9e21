import { describe, expect, test } from 'vitest'
import { createRedactor, createSecretMemory } from '../../../src/bundle/index.ts'
import { sampleContent, writeSample } from '../../support/sample-bundle.ts'
import { sampleEvents, sampleIds, sampleRecording, sampleStart } from '../../support/sample-run.ts'

const awkward = 'pa"ss\\wörd\nnext'
const environment = {
  SHOP_API_KEY: 'key-0123456789',
  DB_PASSWORD: awkward,
  PIN_TOKEN: '31415926',
  SHORT_SECRET: 'abc',
  HOME: '/home/someone',
}

describe('secrets of the environment', () => {
  const redact = createRedactor({ environment })

  test('are remembered when they were changed or taken back', () => {
    const changing: Record<string, string | undefined> = { DB_PASSWORD: 'first-word', HOME: '/home/someone' }
    const memory = createSecretMemory(changing)
    const first = memory.secrets()
    expect(memory.secrets()).toBe(first)
    changing['DB_PASSWORD'] = 'second-word-that-is-longer'
    changing['SHOP_TOKEN'] = 'a-token'
    expect(memory.secrets().map(({ name }) => name)).toEqual(['DB_PASSWORD', 'DB_PASSWORD', 'SHOP_TOKEN'])
    delete changing['SHOP_TOKEN']
    delete changing['DB_PASSWORD']
    expect(
      createRedactor({ environment: changing, secrets: memory.secrets() }).text(
        'first-word second-word-that-is-longer a-token',
      ),
    ).toBe('[redacted:DB_PASSWORD] [redacted:DB_PASSWORD] [redacted:SHOP_TOKEN]')
  })

  test.each([
    ['as they are', 'call with key-0123456789!', 'call with [redacted:SHOP_API_KEY]!'],
    ['inside JSON', JSON.stringify({ a: awkward }), '{"a":"[redacted:DB_PASSWORD]"}'],
    [
      'inside JSON inside JSON',
      JSON.stringify(JSON.stringify({ a: awkward })),
      '"{\\"a\\":\\"[redacted:DB_PASSWORD]\\"}"',
    ],
    ['inside a URL', `?p=${encodeURIComponent(awkward)}`, '?p=[redacted:DB_PASSWORD]'],
  ])('are replaced %s', (_, text, expected) => {
    expect(redact.text(text)).toBe(expected)
  })

  test('are left when they are too short or their names say nothing', () => {
    expect(redact.text('abc /home/someone')).toBe('abc /home/someone')
  })

  test('are replaced in keys and numbers too', () => {
    expect(redact.json({ 'key-0123456789': [31415926, 31415927] })).toEqual({
      '[redacted:SHOP_API_KEY]': ['[redacted:PIN_TOKEN]', 31415927],
    })
  })

  test('are replaced in bytes that are no text, and the other bytes stay', () => {
    const secret = new TextEncoder().encode('key-0123456789')
    const found = redact.bytes(new Uint8Array([255, 0, ...secret, 254, ...secret]))
    const marker = new TextEncoder().encode('[redacted:SHOP_API_KEY]')
    expect([...found]).toEqual([255, 0, ...marker, 254, ...marker])
    const innocent = new Uint8Array([255, 0, 107, 101])
    expect(redact.bytes(innocent)).toBe(innocent)
  })

  test('become names that files can have', () => {
    expect(redact.path('out/key-0123456789.txt')).toBe('out/[redacted-SHOP_API_KEY].txt')
  })
})

describe('secrets by their form', () => {
  test.each([
    ['Authorization: Bearer eyJhbGciOi.abc-def', 'Authorization: Bearer [redacted:bearer-token]'],
    ['id AKIAIOSFODNN7EXAMPLE.', 'id [redacted:aws-key].'],
    [`push with ghp_${'a1'.repeat(18)}`, 'push with [redacted:github-token]'],
    [
      'a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- b',
      'a [redacted:private-key] b',
    ],
    ['postgres://shop:hunter2@db/shop', 'postgres://shop:[redacted:url-password]@db/shop'],
    ['login?password=hunter2&user=a', 'login?password=[redacted:named-value]&user=a'],
    ['dbPassword: hunter2', 'dbPassword: [redacted:named-value]'],
    ['{"password": "hunter \\"2\\"", "user": "a"}', '{"password": "[redacted:named-value]", "user": "a"}'],
    ["secret: 'two words'", "secret: '[redacted:named-value]'"],
    ['"{\\"api_key\\":\\"abc def\\",\\"b\\":1}"', '"{\\"api_key\\":\\"[redacted:named-value]\\",\\"b\\":1}"'],
    ['access_token=abcdef', 'access_token=[redacted:named-value]'],
  ])('are replaced: %s', (text, expected) => {
    expect(createRedactor({ environment: {} }).text(text)).toBe(expected)
  })

  test.each([
    'Unexpected token: foo',
    'the key is missing',
    'no password given',
    'idempotencyKey: run/step#1',
  ])('are not seen in ordinary words: %s', (text) => {
    expect(createRedactor({ environment: {} }).text(text)).toBe(text)
  })

  test('are replaced whole under a telling name', () => {
    expect(
      createRedactor({ environment: {} }).json({
        dbPassword: 'a b',
        tokens: 'c',
        'api-key': ['d', 'e'],
        count: 1,
      }),
    ).toEqual({
      dbPassword: '[redacted:named-value]',
      tokens: 'c',
      'api-key': ['[redacted:named-value]', '[redacted:named-value]'],
      count: 1,
    })
  })

  test('can be added', () => {
    const redact = createRedactor({ environment: {}, patterns: [/card \d{4}/i, /x*/g] })
    expect(redact.text('Card 1234, card 5678')).toBe('[redacted:pattern-1], [redacted:pattern-1]')
  })
})

describe('a redactor', () => {
  test('changes nothing more the second time', () => {
    const redact = createRedactor({ environment })
    const text = 'password=hunter2 Bearer abcdef123 key-0123456789 {"secret":"a b"} x://u:pw@h'
    const once = redact.text(text)
    expect(redact.text(once)).toBe(once)
    expect(redact.json({ password: 'x' })).toEqual(redact.json(redact.json({ password: 'x' })))
  })

  test('counts by rule', () => {
    const redact = createRedactor({ environment })
    redact.text('key-0123456789 key-0123456789 password=hunter2')
    expect(redact.counts()).toEqual({ SHOP_API_KEY: 2, 'named-value': 1 })
  })
})

describe('absolute roots', () => {
  const redact = createRedactor({
    environment: {},
    roots: { '<root>': '/home/someone/shop', '<project>': '/home/someone/shop/tmp/p-1/', '<nothing>': '/' },
  })

  test.each([
    ['at /home/someone/shop/tests/a.test.ts:1:2', 'at <root>/tests/a.test.ts:1:2'],
    ['file:///home/someone/shop/a.ts', '<root>/a.ts'],
    ['ENOENT: /home/someone/shop/tmp/p-1/b.txt', 'ENOENT: <project>/b.txt'],
    ['/home/someone/shop/tmp/p-12/b.txt', '<root>/tmp/p-12/b.txt'],
    ['/home/someone/shop-2/b.txt', '/home/someone/shop-2/b.txt'],
    ['in /home/someone/shop.', 'in <root>.'],
  ])('are written by name: %s', (original, expected) => {
    expect(redact.text(original)).toBe(expected)
  })

  test('are found on Windows, with and without escapes', () => {
    const windows = createRedactor({ environment: {}, roots: { '<root>': 'C:\\work\\shop' } })
    expect(windows.text('C:\\work\\shop\\a.ts "C:\\\\work\\\\shop\\\\a.ts" file:///C:/work/shop/a.ts')).toBe(
      '<root>\\a.ts "<root>\\\\a.ts" <root>/a.ts',
    )
  })
})

describe('a written bundle', () => {
  test('holds no secret, wherever it was', async () => {
    const secret = environment.SHOP_API_KEY
    const root = '/home/someone/shop'
    const encoder = new TextEncoder()
    const events = sampleEvents().map((event) => {
      if (event.kind === 'workflow_start')
        return { ...event, input: { note: awkward }, launch: { agents: `${root}/a.ts` } }
      if (event.kind === 'step_finish')
        return { ...event, output: { header: `Bearer ${secret}`, text: awkward } }
      if (event.kind === 'step_fail')
        return { ...event, error: { ...event.error, message: `refused: ${secret}` } }
      return event
    })
    const recording = sampleRecording()
    const atFailure = recording.snapshots.atFailure
    const { texts, location } = await writeSample(
      sampleContent({
        errors: [
          { name: 'Error', message: `no ${awkward}`, stack: `Error: no ${awkward}\n at ${root}/x.ts` },
        ],
        notes: [`password=${secret}`],
        replay: { command: `npx faultline replay ${root}/b`, env: { SHOP_API_KEY: secret } },
        sessions: [
          {
            ...recording,
            events,
            input: { note: awkward },
            snapshots: {
              ...recording.snapshots,
              atFailure: atFailure && {
                ...atFailure,
                state: { ...atFailure.state, input: { [secret]: awkward } },
              },
            },
            logs: [
              { at: sampleStart, level: 'info', message: `using ${secret} and ${awkward}`, ...sampleIds },
            ],
            artifacts: [
              { path: `out/${secret}.json`, bytes: encoder.encode(JSON.stringify({ secret, awkward })) },
              { path: 'out/blob.bin', bytes: new Uint8Array([255, ...encoder.encode(secret)]) },
            ],
          },
        ],
      }),
      { redact: createRedactor({ environment, roots: { '<root>': root } }) },
    )
    const escaped = JSON.stringify(awkward).slice(1, -1)
    const leaks = Object.entries(texts).filter(([path, text]) =>
      [secret, awkward, escaped, 'wörd', root].some((each) => `${path}\n${text}`.includes(each)),
    )
    expect(leaks.map(([path]) => path)).toEqual([])
    expect(location.manifest.redaction.rules['SHOP_API_KEY']).toBeGreaterThan(10)
    expect(
      Object.keys(texts)
        .filter((path) => path.includes('/out/'))
        .map((path) => path.split('/out/')[1]),
    ).toEqual(['[redacted-SHOP_API_KEY].json', 'blob.bin'])
  })

  test('keeps artifacts apart whose names differ only in a secret', async () => {
    const artifacts = [environment.SHOP_API_KEY, environment.PIN_TOKEN].map((secret) => ({
      path: `Bearer ${secret}`,
      bytes: new TextEncoder().encode('x'),
    }))
    const { location } = await writeSample(sampleContent({ sessions: [{ ...sampleRecording(), artifacts }] }))
    const paths = location.manifest.files
      .map(({ path }) => path)
      .filter((path) => path.startsWith('artifacts/'))
    expect(paths).toEqual([
      'artifacts/Bearer [redacted-bearer-token]',
      'artifacts/Bearer [redacted-bearer-token]~2',
    ])
  })

  test('reports what was replaced in it and in no other bundle', async () => {
    const redact = createRedactor({ environment })
    redact.text('key-0123456789')
    const { location } = await writeSample(
      sampleContent({ sessions: [], errors: [], replay: { command: 'x', env: { A: 'key-0123456789' } } }),
      { redact },
    )
    expect(location.manifest.redaction).toEqual({ total: 1, rules: { SHOP_API_KEY: 1 } })
  })
})
