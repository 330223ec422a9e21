// The agents of this project. An agent reads and writes through `artifacts` only: what it writes appears in the project
// when its step completes, and nothing of a failed attempt is left behind.

/** @type {import('faultline').Agents} */
export const agents = {
  /** Puts the parts together in the order that app.json names them. */
  async builder({ artifacts, log }) {
    const app = JSON.parse(await artifacts.readText('app.json'))
    const parts = []
    for (const part of app.parts) parts.push(await artifacts.readText(part))
    await artifacts.write('dist/notes.md', parts.join('\n'))
    log(`put ${parts.length} parts together`)
    return { parts: parts.length }
  },

  /** Counts words and headings. */
  async checker({ artifacts }) {
    const text = await artifacts.readText('dist/notes.md')
    const headings = text.split('\n').filter((line) => line.startsWith('#'))
    const words = text.split(/\s+/).filter((word) => /\w/.test(word)).length
    if (headings.length === 0) throw new Error('dist/notes.md has no heading')
    await artifacts.write('reports/check.json', toJson({ words, headings: headings.length }))
    return { words, headings: headings.length }
  },

  /** Writes down what was published. */
  async publisher({ artifacts }) {
    const { name, version } = JSON.parse(await artifacts.readText('app.json'))
    const { words } = JSON.parse(await artifacts.readText('reports/check.json'))
    const { length: sizeBytes } = await artifacts.read('dist/notes.md')
    await artifacts.write(
      'release/manifest.json',
      toJson({ name, version, words, files: [{ path: 'dist/notes.md', sizeBytes }] }),
    )
    return { published: `${name}@${version}` }
  },
}

function toJson(value) {
  return `${JSON.stringify(value, null, 2)}\n`
}
