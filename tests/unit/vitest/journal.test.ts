import { createHash } from 'node:crypto'
import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { closeJournals, createJournal, workerJournal } from '../../../src/vitest/journal.ts'
import { secretsOnly } from '../../../src/vitest/redactor.ts'
import type { Journal } from '../../../src/vitest/journal.ts'
import { readJournal, readJournals } from '../../../src/vitest/read-journals.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { begun, settingsIn } from './in-a-worker.ts'

const open: Journal[] = []
const someRun = { workflowId: 'w', runId: 'w-1', correlationId: 'c' }

afterEach(() => {
  for (const journal of open.splice(0)) journal.close()
  closeJournals()
})

function journalIn(folder: string): Journal {
  const journal = createJournal(folder, settingsIn(folder), secretsOnly(settingsIn(folder)))
  open.push(journal)
  return journal
}

function onlyFile(folder: string): string {
  return join(folder, readdirSync(folder)[0] ?? '')
}

describe('the journal of a worker', () => {
  test('forgets a test that has passed', () => {
    const folder = temporaryFolder()
    const journal = journalIn(folder)
    const empty = readFileSync(onlyFile(folder), 'utf8')
    const entry = journal.begin(begun('passes'))
    entry.project({ folder: '/somewhere', template: 'medium' })
    expect(readFileSync(onlyFile(folder), 'utf8')).toContain('passes')
    entry.end(null)
    expect(readFileSync(onlyFile(folder), 'utf8').trimEnd()).toBe(empty.trimEnd())
  })

  test('notes a test where the one before it was forgotten, whichever took more room', () => {
    const folder = temporaryFolder()
    const journal = journalIn(folder)
    for (const name of ['short', 'long '.repeat(100), 'brief']) {
      const entry = journal.begin(begun(name))
      entry.project({ folder: `/${name}`, template: 'medium' })
      expect(readJournals(folder)).toMatchObject([
        { underWay: [{ name, projects: [{ folder: `/${name}`, template: 'medium' }] }] },
      ])
      entry.end(null)
      expect(readJournals(folder)).toMatchObject([{ underWay: [], bundles: [] }])
    }
  })

  test('tells tests that are under way from those beside them that have ended', () => {
    const folder = temporaryFolder()
    const journal = journalIn(folder)
    const [one, two] = ['one', 'two'].map((name) => journal.begin(begun(name)))
    one?.project({ folder: '/one', template: 'medium' })
    two?.project({ folder: '/two', template: 'medium' })
    one?.end(null)
    expect(readJournals(folder)).toMatchObject([
      {
        pid: process.pid,
        underWay: [{ name: 'two', projects: [{ folder: '/two', template: 'medium' }], sessions: [] }],
        bundles: [],
      },
    ])
    two?.end(null)
    expect(readJournals(folder)).toMatchObject([{ underWay: [], bundles: [] }])
  })

  test('keeps which bundles its tests have left, also when it is closed', () => {
    const folder = temporaryFolder()
    const journal = createJournal(folder, settingsIn(folder), secretsOnly(settingsIn(folder)))
    journal.begin(begun('fails')).end('bundles/fails')
    journal.begin(begun('passes')).end(null)
    journal.close()
    expect(readJournals(folder)).toMatchObject([{ underWay: [], bundles: ['bundles/fails'] }])
  })

  test('notes nothing of a test that has ended, whatever it still does', () => {
    const folder = temporaryFolder()
    const journal = journalIn(folder)
    const entry = journal.begin(begun('ended'))
    entry.end(null)
    const before = readFileSync(onlyFile(folder), 'utf8')
    entry.project({ folder: '/late', template: 'medium' })
    expect(readFileSync(onlyFile(folder), 'utf8')).toBe(before)
  })

  test('learns a secret that a test sets, tells its name and writes its value nowhere', () => {
    const folder = temporaryFolder()
    const journal = journalIn(folder)
    vi.stubEnv('SHOP_LATE_TOKEN', 'late-5521-secret')
    try {
      const entry = journal.begin(begun('sets one'))
      entry.log({ at: 0, level: 'info', message: 'late-5521-secret', ...someRun })
      const text = readFileSync(onlyFile(folder), 'utf8')
      expect(text).not.toContain('late-5521-secret')
      expect(text).toContain('[redacted:SHOP_LATE_TOKEN]')
      entry.end(null)
      // It is still there when the next test dies.
      journal.begin(begun('dies'))
      expect(readJournals(folder)).toMatchObject([{ ownSecrets: ['SHOP_LATE_TOKEN'] }])
    } finally {
      vi.unstubAllEnvs()
    }
  })

  test('tells which secrets the process that reads it does not know, by other means than their values', () => {
    const folder = temporaryFolder()
    vi.stubEnv('SHOP_SHARED_TOKEN', 'the same for both')
    vi.stubEnv('SHOP_OVERRIDDEN_TOKEN', 'of the worker')
    vi.stubEnv('SHOP_WORKERS_TOKEN', 'of the worker alone')
    try {
      journalIn(folder).begin(begun('dies'))
      const text = readFileSync(onlyFile(folder), 'utf8')
      expect(text).toContain('SHOP_OVERRIDDEN_TOKEN')
      for (const value of ['the same for both', 'of the worker']) {
        expect(text).not.toContain(value)
        for (const form of ['hex', 'base64'] as const)
          expect(text).not.toContain(createHash('sha256').update(value).digest(form))
      }
      vi.stubEnv('SHOP_OVERRIDDEN_TOKEN', 'of the reader')
      vi.stubEnv('SHOP_WORKERS_TOKEN', undefined)
      const [{ ownSecrets } = { ownSecrets: [] }] = readJournals(folder)
      expect(ownSecrets.filter((name) => /^SHOP_(SHARED|OVERRIDDEN|WORKERS)_/.test(name)).sort()).toEqual([
        'SHOP_OVERRIDDEN_TOKEN',
        'SHOP_WORKERS_TOKEN',
      ])
    } finally {
      vi.unstubAllEnvs()
    }
  })

  test('is gone when it is closed with nothing to tell', async () => {
    const folder = temporaryFolder()
    const journal = await workerJournal(settingsIn(folder, { journals: folder }))
    expect(await workerJournal(settingsIn(folder, { journals: folder }))).toBe(journal)
    journal?.begin(begun('passes')).end(null)
    closeJournals()
    expect(readdirSync(folder)).toEqual([])
    expect(await workerJournal(settingsIn(folder))).toBeUndefined()
  })

  test('gives a sign of life every second while a test is under way', async () => {
    const folder = temporaryFolder()
    vi.useFakeTimers()
    vi.resetModules()
    const fresh = await import('../../../src/vitest/journal.ts')
    const journal = fresh.createJournal(folder, settingsIn(folder), secretsOnly(settingsIn(folder)))
    try {
      const length = (): number => readFileSync(onlyFile(folder), 'utf8').length
      const before = length()
      vi.advanceTimersByTime(3_000)
      expect(length()).toBe(before)
      journal.begin(begun('waits'))
      const begins = length()
      vi.advanceTimersByTime(3_000)
      expect(length()).toBe(begins + 3)
      expect(readJournals(folder)).toMatchObject([{ underWay: [{ name: 'waits' }] }])
    } finally {
      vi.useRealTimers()
      journal.close()
    }
  })

  test('goes on under the fake timers of a test', () => {
    vi.useFakeTimers()
    try {
      const journal = journalIn(temporaryFolder())
      expect(vi.getTimerCount()).toBe(0)
      journal.begin(begun('fakes')).end(null)
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('reading a journal', () => {
  test('leaves out a last line that was cut short', () => {
    const folder = temporaryFolder()
    journalIn(folder).begin(begun('dies'))
    appendFileSync(onlyFile(folder), '{"kind":"end","id":1,"bun')
    expect(readJournals(folder)).toMatchObject([{ underWay: [{ name: 'dies' }] }])
  })

  test('leaves out the rest of a line that was being wiped out', () => {
    const folder = temporaryFolder()
    const journal = journalIn(folder)
    journal.begin(begun('ends')).end(null)
    appendFileSync(onlyFile(folder), 'correlationId":"c-1"}\n{"kind":"end","id":1,"bundle":null}\n')
    expect(readJournals(folder)).toMatchObject([{ pid: process.pid, underWay: [], bundles: [] }])
  })

  test('passes over one that is gone or has just been made', () => {
    const folder = temporaryFolder()
    expect(readJournals(join(folder, 'none'))).toEqual([])
    expect(readJournal(folder, 'gone.jsonl')).toBeUndefined()
    appendFileSync(join(folder, 'new.jsonl'), '{"kind":"wor')
    expect(readJournals(folder)).toEqual([])
  })
})
