import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { createProject } from '../../../src/harness/index.ts'
import { stranger } from '../../support/stranger.ts'

const templates = readdirSync(join(import.meta.dirname, '../../../templates'))

test.each(templates)('the command line runs the workflow of a project made from %s', async (template) => {
  const project = await createProject({ template })
  const paths = await project.list({ all: true })
  const files = await Promise.all(paths.map(async (path) => [path, await project.readText(path)] as const))
  await project.remove()
  const folder = stranger(inject('packedPackage'), Object.fromEntries(files))
  const ended = folder.faultline('run', 'workflows/release.yaml')
  const made = folder.files('release')
  folder.remove()
  expect([ended.stderr, ended.code]).toEqual(['', 0])
  expect(made).not.toEqual([])
})
