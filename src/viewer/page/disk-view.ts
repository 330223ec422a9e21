import type { PageCrash, PageUnsynced } from '../content.ts'
import type { SessionData } from '../page-data.ts'
import { bytes } from './artifacts-view.ts'
import { titled } from './detail-view.ts'
import { block, data, el, facts } from './dom.ts'
import { picker } from './picker.ts'
import { plainTable } from './plain-table.ts'
import { empty } from './virtual-rows.ts'

const outcomes: Readonly<Record<string, string>> = {
  kill: 'the process died and the machine went on: what was written stays',
  'torn-1': 'the process died in its last write, after one byte',
  'torn-half': 'the process died in its last write, after half of it',
  'torn-end': 'the process died in its last write, one byte before its end',
  'power-min': 'power loss: nothing reached the disk that was not synced',
  'power-names': 'power loss: names reached the disk, contents did not',
  'power-data': 'power loss: contents reached the disk, names did not',
}

const fates: Readonly<Record<PageUnsynced['fate'], string>> = {
  kept: 'kept, though not durable',
  lost: 'lost',
  torn: 'cut off',
  mixed: 'lost in part',
}

function fateOf({ fate, written }: PageUnsynced): string {
  if (written !== null) return fates[fate]
  return fate === 'kept' ? 'stays removed, though not durably' : 'is back: its removal was lost'
}

/** What the crash has changed comes first. */
function worstFirst(files: readonly PageUnsynced[]): readonly PageUnsynced[] {
  return [...files.filter(({ fate }) => fate !== 'kept'), ...files.filter(({ fate }) => fate === 'kept')]
}

/** What a crash met on the disk: what was durable, what was not, and what became of that. */
export function diskView({ crashes }: SessionData): HTMLElement {
  return picker(
    'Crashes',
    crashes.map(({ outcome, seq }, index) => ({
      title: `Crash ${index + 1}`,
      note: `${outcome}, after #${seq}`,
    })),
    (index) => crashParts(crashes[index] as PageCrash, index),
  )
}

function crashParts(
  { incarnation, seq, outcome, durable, unsynced }: PageCrash,
  index: number,
): HTMLElement[] {
  return [
    el('h2', {}, `Crash ${index + 1}`),
    facts([
      ['How', `${outcome}: ${outcomes[outcome] ?? 'power loss: writes reached the disk out of order'}`],
      ['Life of the engine', String(incarnation)],
      ['Last event on disk', `#${seq}`],
    ]),
    titled(
      `Not durable (${unsynced.length})`,
      unsynced.length === 0
        ? empty('Everything that had been written was durable: no crash could take it.')
        : plainTable(
            ['File', 'Written', 'Durable', 'After the crash', 'What became of it'],
            worstFirst(unsynced).map((file) => [
              file.path,
              ...[file.written, file.durable, file.left].map((content) =>
                content === null ? 'no file' : bytes(content.sizeBytes),
              ),
              fateOf(file),
            ]),
          ),
    ),
    ...worstFirst(unsynced).flatMap(stakePart),
    titled(
      `Durable (${durable.length})`,
      durable.length === 0
        ? empty('Nothing that the run wrote was durable.')
        : plainTable(
            ['File', 'Size'],
            durable.map(({ path, sizeBytes }) => [path, bytes(sizeBytes)]),
          ),
    ),
  ]
}

function stakePart({ path, fate, atStake }: PageUnsynced): HTMLElement[] {
  if (atStake === null) return []
  const { text, cutFrom } = atStake
  const more =
    cutFrom === null
      ? ''
      : `, the first ${text.length.toLocaleString('en')} of ${cutFrom.toLocaleString('en')} characters`
  return [
    el(
      'details',
      { class: 'part', ...(fate === 'kept' ? {} : { open: '' }) },
      el('summary', {}, 'Written to ', data(path), `, not durable: ${fates[fate]}${more}`),
      block(text, 'Text that was not durable'),
    ),
  ]
}
