import { expect, test } from 'vitest'
import { rootNumber, VirtualDisk } from '../../../../src/adapters/virtual/virtual-disk.ts'

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
