import { expect, test } from 'vitest'
import { FileOperationNames } from '../../../../src/harness/sweep/fault-points.ts'
import { pointClass } from '../../../../src/harness/sweep/smoke-tier.ts'

const staged = '.workflow/runs/r-1/staging/draft#1@2/out/draft.md'

test('operations are named by what they are, and counted for each life alone', () => {
  for (const life of [1, 2]) {
    const names = new FileOperationNames(life)
    expect([
      names.nameOf({ op: 'write', path: staged, data: '' }),
      names.nameOf({ op: 'fsync', path: staged }),
      names.nameOf({ op: 'write', path: staged, data: '' }),
      names.nameOf({ op: 'fsync', path: '.workflow/runs/r-1/events.jsonl' }),
      names.nameOf({ op: 'fsync', path: 'out/draft.md' }),
    ]).toEqual([
      `${life}/draft#1@2:files.write:staging/draft#1@2/out/draft.md#1`,
      `${life}/draft#1@2:files.fsync:staging/draft#1@2/out/draft.md#1`,
      `${life}/draft#1@2:files.write:staging/draft#1@2/out/draft.md#2`,
      `${life}/run:files.fsync:events.jsonl#1`,
      `${life}/run:files.fsync:out/draft.md#1`,
    ])
  }
})

test('names go on from where a life was forked, and only there', () => {
  const first = new FileOperationNames(1)
  first.nameOf({ op: 'fsync', path: 'a' })
  const fork = first.occurrences()
  first.nameOf({ op: 'fsync', path: 'a' })
  for (const _time of ['once', 'again']) {
    const names = new FileOperationNames(1, fork)
    expect(names.nameOf({ op: 'fsync', path: 'a' })).toBe('1/run:files.fsync:a#2')
    expect(names.nameOf({ op: 'fsync', path: 'b' })).toBe('1/run:files.fsync:b#1')
    expect([...names.occurrences().values()]).toEqual([2, 1])
  }
})

test('the class of a point is what is done to what kind of file, asked once or again', () => {
  for (const _time of ['once', 'again']) {
    expect(pointClass('1/draft#1@2:files.write:staging/draft#1@2/out/draft.md#1')).toBe(
      pointClass('2/review#2@1:files.write:staging/review#2@1/out/review.md#3'),
    )
    expect(pointClass('1/run:files.fsync:events.jsonl#1')).toBe('run files.fsync events.jsonl')
    expect(pointClass('1/run:files.append:events.jsonl#1')).toBe('run files.append events.jsonl')
  }
})
