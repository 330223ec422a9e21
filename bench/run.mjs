import { existsSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** `npm run bench -- <name> [--json]`: every figure of a bench, on the code that ships. */
const benches = {
  resume: async () => (await import('./resume.mjs')).resume(),
  engine: async () => (await import('./engine.mjs')).engine(),
  sweep: async () => (await import('./sweep.mjs')).sweeps(),
  durability: async () => (await import('./durability.mjs')).durability(),
  plugin: async () => (await import('./plugin.mjs')).plugin(),
}

const [name, ...flags] = process.argv.slice(2)
if (name === undefined || !Object.hasOwn(benches, name)) {
  process.stderr.write(
    `${name === undefined ? 'Name a bench' : `There is no bench '${name}'`}: ${Object.keys(benches).join(', ')}\n`,
  )
  process.exit(2)
}

const root = dirname(dirname(fileURLToPath(import.meta.url)))
if (!existsSync(`${root}/dist`)) execFileSync('npm', ['run', 'build'], { cwd: root, stdio: 'ignore' })

for (const figure of await benches[name]()) {
  const rounded = { ...figure, value: Math.round(figure.value * 100) / 100 }
  process.stdout.write(
    flags.includes('--json')
      ? `${JSON.stringify(rounded)}\n`
      : `${rounded.bench}/${rounded.figure}  ${rounded.value} ${rounded.unit}  (median of ${rounded.runs}; against ${rounded.reference})\n`,
  )
}
