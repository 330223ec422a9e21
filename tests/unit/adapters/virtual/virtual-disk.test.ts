import { describe, expect, test } from 'vitest'
import { createVirtualFiles } from '../../../../src/adapters/virtual/index.ts'
import { contentSize } from '../../../../src/adapters/virtual/file-content.ts'
import {
  durableNames,
  rootNumber,
  VirtualDisk,
  type FileInode,
  type FolderInode,
} from '../../../../src/adapters/virtual/virtual-disk.ts'

test('an inode is there for as long as a volatile or a durable name leads to it', () => {
  const disk = new VirtualDisk()
  const file = disk.createFile(rootNumber, 'a')
  disk.syncFolder(rootNumber)
  disk.setNames({ folder: rootNumber, name: 'a', after: undefined })
  expect(disk.inode(file).kind).toBe('file')
  disk.syncFolder(rootNumber)
  expect(() => disk.inode(file)).toThrow(`an inode exists as long as a name leads to it (${file})`)
})

test('a folder that goes takes along what only it led to, on this disk alone', () => {
  const disk = new VirtualDisk()
  const folder = disk.createFolder(rootNumber, 'folder')
  const file = disk.createFile(folder, 'a')
  const moved = disk.createFile(folder, 'b')
  disk.setNames({ folder: rootNumber, name: 'b', after: moved })
  disk.syncFolder(rootNumber)
  const fork = disk.fork()
  disk.setNames({ folder: rootNumber, name: 'folder', after: undefined })
  disk.syncFolder(rootNumber)
  expect(() => disk.inode(file)).toThrow('exists as long as')
  expect(disk.inode(moved).kind).toBe('file')
  expect(fork.inode(file).kind).toBe('file')
})

test('a disk that is never synced keeps a bounded number of changes, and no file for the older ones', () => {
  const disk = new VirtualDisk()
  const file = disk.createFile(rootNumber, 'a')
  disk.setNames({ folder: rootNumber, name: 'a', after: undefined })
  expect(disk.inode(file).kind).toBe('file')
  const other = disk.createFile(rootNumber, 'b')
  for (let count = 0; count < 100; count++) disk.appendContent(other, 'x')
  expect(disk.unsynced.length).toBe(32)
  expect(() => disk.inode(file)).toThrow('exists as long as')
})

describe('a fork', () => {
  test('shares every inode and content, whatever their size, until one side changes it', () => {
    const disk = new VirtualDisk()
    const numbers = ['a', 'b', 'c'].map((name) => disk.createFile(rootNumber, name))
    for (const number of numbers) disk.appendContent(number, 'x'.repeat(1_000_000))
    const [changed = 0, ...others] = numbers
    const before = [rootNumber, ...numbers].map((number) => disk.inode(number))
    const fork = disk.fork()
    expect([rootNumber, ...numbers].map((number) => fork.inode(number) === disk.inode(number))).not.toContain(
      false,
    )
    const shared = (disk.inode(changed) as FileInode).volatile.list
    fork.appendContent(changed, 'y')
    expect((fork.inode(changed) as FileInode).volatile.list).toBe(shared)
    expect(fork.inode(changed)).not.toBe(disk.inode(changed))
    for (const number of [rootNumber, ...others]) expect(fork.inode(number)).toBe(disk.inode(number))
    expect([rootNumber, ...numbers].map((number) => disk.inode(number))).toEqual(before)
  })

  test('counts the names that lead to an inode on its own', () => {
    const disk = new VirtualDisk()
    const file = disk.createFile(rootNumber, 'a')
    disk.syncFolder(rootNumber)
    const fork = disk.fork()
    fork.setNames({ folder: rootNumber, name: 'b', after: file })
    fork.syncFolder(rootNumber)
    for (const each of [disk, fork]) {
      each.setNames({ folder: rootNumber, name: 'a', after: undefined })
      each.syncFolder(rootNumber)
    }
    expect(() => disk.inode(file)).toThrow('exists as long as')
    expect(fork.inode(file).kind).toBe('file')
  })

  test('may append where the other side has appended, without either seeing the other', () => {
    const files = createVirtualFiles({ log: '1' })
    const fork = files.fork()
    files.perform({ op: 'append', path: 'log', data: 'here' })
    fork.perform({ op: 'append', path: 'log', data: 'there' })
    const texts = [files, fork].map((each) =>
      new TextDecoder().decode(each.perform({ op: 'read', path: 'log' })),
    )
    expect(texts).toEqual(['1here', '1there'])
    expect(files.visibleDigest()).toBe(createVirtualFiles({ log: '1here' }).visibleDigest())
    expect(fork.visibleDigest()).toBe(createVirtualFiles({ log: '1there' }).visibleDigest())
  })
})

describe('what a power loss leaves', () => {
  const durable = { names: durableNames, content: ({ durable: content }: FileInode) => content }

  test('is shared as far as it was durable, until one side changes it', () => {
    const disk = new VirtualDisk()
    const [synced, unsynced] = [disk.createFile(rootNumber, 'a'), disk.createFile(rootNumber, 'b')]
    const folder = disk.createFolder(rootNumber, 'c')
    for (const file of [synced, unsynced]) disk.appendContent(file, 'x')
    disk.syncAll()
    disk.appendContent(unsynced, 'y')
    const left = disk.surviving(durable)
    for (const number of [rootNumber, folder, synced]) expect(left.inode(number)).toBe(disk.inode(number))
    const before = disk.inode(synced)
    disk.appendContent(synced, 'here')
    expect(left.inode(synced)).toBe(before)
    left.appendContent(unsynced, 'there')
    const sizes = [disk, left].map((each) =>
      [synced, unsynced].map((file) => contentSize((each.inode(file) as FileInode).volatile)),
    )
    expect(sizes).toEqual([
      [5, 2],
      [1, 6],
    ])
  })

  test('is a folder without what moved into another that was synced, which it shares with nobody', () => {
    const disk = new VirtualDisk()
    const [from, to] = [disk.createFolder(rootNumber, 'from'), disk.createFolder(rootNumber, 'to')]
    const moved = disk.createFolder(to, 'moved')
    disk.syncAll()
    disk.setNames(
      { folder: from, name: 'moved', after: moved },
      { folder: to, name: 'moved', after: undefined },
    )
    disk.syncFolder(from)
    const left = disk.surviving(durable)
    const namesIn = (each: VirtualDisk, folder: number): unknown =>
      (each.inode(folder) as FolderInode).names.names
    expect([namesIn(left, from), namesIn(left, to)]).toEqual([['moved'], []])
    expect([namesIn(disk, from), namesIn(disk, to)]).toEqual([['moved'], []])
    disk.syncFolder(to)
    expect(disk.surviving(durable).inode(moved).links).toBe(1)
  })
})
