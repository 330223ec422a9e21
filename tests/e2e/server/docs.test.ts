import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { fencedBlocks } from '../../support/markdown.ts'
import { project } from '../../support/run-folder.ts'
import { answerOf } from '../../support/served-workflows.ts'

test('docs/server.md shows what the service answers', async () => {
  const blocks = fencedBlocks('docs/server.md')
  const files = blocks.flatMap(({ language, text }) => {
    const name = /^(?:#|\/\/) (\S+)\n/.exec(text)?.[1]
    return (language === 'yaml' || language === 'js') && name !== undefined ? [[name, text] as const] : []
  })
  const folder = project(Object.fromEntries(files))
  const [command = '', ...asked] = blocks
    .filter(({ language }) => language === 'sh')
    .map(({ text }) => text.trim())
  const shown = blocks.filter(({ language }) => language === 'json').map(({ text }) => text)
  const service = folder.start(...command.replace('npx faultline ', '').split(' '), '--port', '0')
  onTestFinished(() => void service.kill('SIGKILL'))
  let printed = ''
  service.stdout?.on('data', (chunk: Buffer) => (printed += String(chunk)))
  await expect.poll(() => printed, { timeout: 30_000 }).toMatch(/serving {2}http:\S+\n/)
  const here = /serving {2}(\S+)/.exec(printed)?.[1] ?? ''

  const answers: unknown[] = []
  for (const line of asked) {
    const answer = await answerOf(urlIn(line).replace('http://127.0.0.1:8484', here), {
      method: / -X (\w+)/.exec(line)?.[1] ?? 'GET',
      ...bodyIn(line),
    })
    answers.push(JSON.parse(answer.text.replaceAll(/restock-\d{8}T\d{6}-[0-9a-f]{8}/g, '<run>')))
    // What was started has ended before the next question.
    while (answer.status === 202 && !/^completed /m.test(printed))
      await once(service.stdout as Readable, 'data')
  }
  expect([answers.length, answers]).toMatchObject([
    shown.length,
    shown.map((text) => JSON.parse(text) as unknown),
  ])
})

function urlIn(line: string): string {
  return /http:\S+/.exec(line)?.[0] ?? ''
}

function bodyIn(line: string): { readonly body?: string } {
  const body = / -d '([^']*)'/.exec(line)?.[1]
  return body === undefined ? {} : { body }
}
