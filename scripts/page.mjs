// Bundles what runs in the browser (src/viewer/page), the page of a bundle and that of the service, and writes it with its digests
// to src/viewer. Those files are committed, so that sources run without a build; with --check nothing is written, and a stale one
// is exit code 1.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const page = join(root, 'src/viewer/page')

const shells = [
  { entry: 'main.ts', style: 'style.css', target: 'src/viewer/shell.ts' },
  { entry: 'service/main.ts', style: 'service/style.css', target: 'src/viewer/service-shell.ts' },
]

for (const { entry, style, target } of shells) {
  const shell = shellModule(await bundledScript(entry), smallStyle('base.css') + smallStyle(style))
  if (!process.argv.includes('--check')) {
    writeFileSync(join(root, target), shell)
  } else if (readFileSync(join(root, target), 'utf8') !== shell) {
    console.error(`${target} is not what src/viewer/page gives: run \`npm run page\`.`)
    process.exitCode = 1
  }
}

async function bundledScript(entry) {
  const bundle = await rolldown({
    input: join(page, entry),
    tsconfig: join(page, 'tsconfig.json'),
    platform: 'browser',
  })
  const { output } = await bundle.generate({ format: 'iife', minify: true })
  await bundle.close()
  return output[0].code.trim()
}

function smallStyle(name) {
  return readFileSync(join(page, name), 'utf8')
    .replace(/\/\*.*?\*\//gs, '')
    .replace(/\s*\n\s*/g, '\n')
    .replace(/\s*\{\n/g, '{')
    .replace(/;\n\}/g, '}')
    .replace(/;\n/g, ';')
    .replace(/,\n/g, ',')
    .trim()
}

function shellModule(script, style) {
  for (const [text, end] of [
    [script, /<\/script|<!--/i],
    [style, /<\/style/i],
  ]) {
    if (end.test(text)) throw new Error(`The page cannot hold ${end}: it would end the element around it.`)
  }
  return [
    '// Made by `npm run page` from src/viewer/page; not to be edited.',
    `export const script = ${JSON.stringify(script)}`,
    `export const scriptHash = 'sha256-${sha256(script)}'`,
    `export const style = ${JSON.stringify(style)}`,
    `export const styleHash = 'sha256-${sha256(style)}'`,
    '',
  ].join('\n')
}

function sha256(text) {
  return createHash('sha256').update(text).digest('base64')
}
